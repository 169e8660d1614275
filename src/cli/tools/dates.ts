/** A local time as ctime(3) writes it. */
export function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const part = (options: Intl.DateTimeFormatOptions) => date.toLocaleString("en-US", options);
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const day = String(date.getDate()).padStart(2);
  return `${part({ weekday: "short" })} ${part({ month: "short" })} ${day} ${clock} ${date.getFullYear()}`;
}
