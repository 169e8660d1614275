/**
 * What XML 1.0 cannot hold (section 2.2, "Char"): most control characters, halves of surrogate pairs, U+FFFE, U+FFFF.
 * Not even an escape can write them, so a document that says them cannot be read back.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const allForbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/** Whether XML 1.0 can hold a text. */
export const isXmlText = (text: string): boolean => text.isWellFormed() && !forbidden.test(text);

/** The text with the replacement character in place of what XML 1.0 cannot hold: agents print all sorts of things. */
export const asXmlText = (text: string): string =>
  isXmlText(text) ? text : text.toWellFormed().replace(allForbidden, "\ufffd");

const nameStart =
  ":A-Z_a-z\\u{c0}-\\u{d6}\\u{d8}-\\u{f6}\\u{f8}-\\u{2ff}\\u{370}-\\u{37d}\\u{37f}-\\u{1fff}\\u{200c}\\u{200d}" +
  "\\u{2070}-\\u{218f}\\u{2c00}-\\u{2fef}\\u{3001}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{fffd}\\u{10000}-\\u{effff}";
const xmlName = new RegExp(
  `^[${nameStart}][${nameStart}\\-.0-9\\u{b7}\\u{300}-\\u{36f}\\u{203f}\\u{2040}]*$`,
  "u",
);

/** Whether a text can be the name of an element or attribute (XML 1.0 section 2.3, "Name"). */
export const isXmlName = (text: string): boolean => xmlName.test(text);
