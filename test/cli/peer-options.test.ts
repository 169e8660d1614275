import { describe, expect, test } from "bun:test";
import { hactl } from "./run.ts";

/**
 * Every option that Pacemaker 3.0.2's tools have, their hidden and deprecated ones too, with `=` where it takes a value. Each is
 * known here: done, taken without effect, or refused with the reason, which is what the help says of it.
 */
const options: Readonly<Record<string, string>> = {
  attrd_updater:
    "--name= -n= --pattern= -P= --update= -U= --update-both= -B= --update-delay -Y --query -Q --delete -D --refresh -R --delay= -d= --set= -s= --node= -N= --all -A --lifetime= -l= --private -p --wait= -W= --utilization -z --quiet -q -v= --section= -S=",
  cibadmin:
    "--upgrade -u --query -Q --erase -E --bump -B --create -C --modify -M --patch -P --replace -R --delete -D --delete-all -d --empty -a --md5-sum -5 --md5-sum-versioned -6 --xml-file= -x= --xml-text= -X= --xml-pipe -p --force -f --timeout= -t= --user= -U= --scope= -o= --xpath= -A= --show-access -S --score --allow-create -c --no-children -n --local -l --node= -N= --node-path -e --sync-call -s",
  crm_attribute:
    "--all -a --id= -i= --name= -n= --pattern= -P= --promotion -p --set-name= -s= --list-options= -L= --delete -D --query -G --update= -v= --default= -d= --lifetime= -l= --node= -N= --type= -t= --score --wait= -W= --utilization -z --attr-name= --get-value --node-uname= -U= --quiet -q -Q",
  crm_diff:
    "--original= -o= --original-string= -O= --new= -n= --new-string= -N= --patch= -p= --cib -c --no-version -u --stdin -s",
  crm_error: "--name -n --list -l --exit -X --rc -r",
  crm_failcount:
    "-V -q -Q -G -D -r= -n= -I= -N= -U= -v= -i= -l= --verbose --quiet --query --delete --resource= --node= --operation= --interval= --delete-attr --get-value --resource-id= --uname= --lifetime= --attr-value= --attr-id=",
  crm_master:
    "-V -q -Q -G -v= -D -N= -U= -l= -i= --verbose --quiet --query --update= --delete --node= --lifetime= --id= --uname= --get-value --delete-attr --attr-value= --attr-id=",
  crm_mon:
    "--interval= -i= --one-shot -1 --daemonize -d --external-agent= -E= --external-recipient= -e= --watch-fencing -W --xml-file= -x= --pid-file -p --include= -I= --exclude= -U= --node= --resource= --group-by-node -n --inactive -r --failcounts -f --operations -o --timing-details -t --tickets -c --fence-history -m --neg-locations -L --show-node-attributes -A --hide-headers -D --show-detail -R --show-description --brief -b --pending -j --as-xml -X --quiet -Q",
  crm_node:
    "--cluster-id -i --list -l --name -n --partition -p --quorum -q --name-for-id= -N= --remove= -R= --force -f --corosync -C --quiet -Q",
  crm_resource:
    "--list -L --list-raw -l --list-cts -c --list-operations -O --list-all-operations -o --list-options= --list-standards --list-ocf-providers --list-agents= --list-ocf-alternatives= --show-metadata= --query-xml -q --query-xml-raw -w --get-parameter= -g= --locate -W --constraints -a --stack -A --why -Y --validate --cleanup -C --refresh -R --set-parameter= -p= --delete-parameter= -d= --move -M --ban -B --clear -U --expired -e --lifetime= -u= --promoted --master --delete -D --fail -F --restart --wait --digests --force-demote --force-stop --force-start --force-promote --force-check --node= -N= --recursive --resource-type= -t= --parameter-value= -v= --meta -m --utilization -z --element --operation= -n= --interval= -I= --class= --agent= --provider= --option= --set-name= -s= --nvpair= -i= --timeout= -T= --all --force -f --host-uname= -H= --quiet -Q --resource= -r=",
  crm_rule: "--check -c --xml-text= -X= --date= -d= --rule= -r=",
  crm_shadow:
    "--which -w --display -p --diff -d --file -F --create= -c= --create-empty= -e= --commit= -C= --delete= -D= --edit -E --reset= -r= --switch= -s= --force -f --batch -b --all -a --validate-with= -v=",
  crm_simulate:
    "--run -R --simulate -S --in-place -X --show-attrs -A --show-failcounts -c --show-scores -s --show-utilization -U --profile= -P= --repeat= -N= --pending -j --node-up= -u= --node-down= -d= --node-fail= -f= --op-inject= -i= --op-fail= -F= --set-datetime= -t= --quorum= -q= --watchdog= -w= --ticket-grant= -g= --ticket-revoke= -r= --ticket-standby= -b= --ticket-activate= -e= --save-input= -I= --save-output= -O= --save-graph= -G= --save-dotfile= -D= --all-actions -a --live-check -L --xml-file= -x= --xml-pipe -p --quiet -Q",
  crm_standby:
    "-V -q -Q -G -v= -D -N= -U= -l= -i= --verbose --quiet --query --update= --delete --node= --lifetime= --id= --uname= --get-value --delete-attr --attr-value= --attr-id=",
  crm_ticket:
    "--info -l --details -L --raw -w --query-xml -q --constraints -c --grant -g --revoke -r --standby -s --activate -a --get-attr= -G= --set-attr= -S= --delete-attr= -D= --cleanup -C --attr-value= -v= --default= -d= --force -f --ticket= -t= --xml-file= -x= --set-name= -n= --nvpair= -i= --quiet -Q",
  crm_verify: "--live-check -L --xml-file= -x= --xml-pipe -p --xml-text= -X= --save-xml= -S= --quiet -q",
  crmadmin:
    "--status= -S= --pacemakerd -P --nodes -N --health -H --timeout= -t= --bash-export -B --ipc-name= -i= --quiet -q",
  iso8601:
    "--now -n --date= -d= --period= -p= --duration= -D= --expected= -E= --seconds -s --epoch -S --local -L --ordinal -O --week -W",
  pacemakerd: "--features -F --foreground -f --pid-file= -p= --shutdown -S --standby -s",
  stonith_admin:
    "--register= -R= --deregister= -D= --register-level= -r= --deregister-level= -d= --list= -l= --list-registered -L --list-installed -I --list-targets= -s= --metadata -M --query= -Q= --history= -H= --last= -h= --validate -K --fence= -F= --unfence= -U= --reboot= -B= --confirm= -C= --cleanup -c --broadcast -b --agent= -a= --option= -o= --env-option= -e= --tag= -T= --device= -v= --index= -i= --timeout= -t= --delay= -y= --as-node-id -n --tolerance= --quiet -q",
};

/** These answer by themselves, whatever else is asked for. */
const alone = new Set(["--list-options", "crm_attribute -L"]);

const wordsOf = (option: string) => (option.endsWith("=") ? [option.slice(0, -1), "1"] : [option]);
const nameOf = (option: string) => option.replace(/=$/, "");
const isAlone = (tool: string, option: string) =>
  alone.has(nameOf(option)) || alone.has(`${tool} ${nameOf(option)}`);

describe.each(Object.entries(options))("%s", (tool, table) => {
  const all = table.split(" ");

  test("knows its options", async () => {
    const together = all.filter((option) => !isAlone(tool, option)).flatMap(wordsOf);
    for (const words of [together, ...all.filter((option) => isAlone(tool, option)).map(wordsOf)]) {
      const { code, out, err } = await hactl([tool, ...words, "--help"]);
      expect([err, code]).toEqual(["", 0]);
      expect(out).toStartWith(tool);
    }
  });

  test("refuses others", async () => {
    const { code, err } = await hactl([tool, "--no-such-option", "--help"]);
    expect([code, err]).toEqual([64, expect.stringContaining("has no option --no-such-option")]);
  });
});

test.each([
  ["pacemakerd --standby", "hactl node standby"],
  ["crmadmin --health", "hactl status"],
  ["stonith_admin -R d", "--agent"],
  ["stonith_admin -K -a fence_x -e nothing", "OCF_RESKEY_nothing"],
])("%s says what to do instead", async (words, cure) => {
  const { code, err } = await hactl(words.split(" "));
  expect([code, err]).toEqual([64, expect.stringContaining(cure)]);
});
