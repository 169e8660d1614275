export { exitText, exitTextOld, statusText } from "../../terms/index.ts";
