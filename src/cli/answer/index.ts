/** What tools say, in the format that was asked for. */
export { Answer, documentText, reportText, statusElement, textOf } from "./answer.ts";
export { type ApiVersion, apiVersion, newestApi, oldestApi, wantedApi } from "./api-version.ts";
export { cdataElement, commandElement, flag, listElement, textElement } from "./elements.ts";
export { type Format, formats, type Message, type TextStyle } from "./message.ts";
export { formatOf, type OutputRequest, outputRequest, outputRows, requestText } from "./request.ts";
export { type AnsweringTool, answering, optionsOf, runTool, versionMessage, versionOf } from "./tool.ts";
