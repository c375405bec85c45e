/** Control characters but line breaks, those that reorder or hide what is shown, and those that end a line for some. */
const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The header's words without characters that steer how a text is shown: a review must see what a compiler sees. */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(STEERING, ' ');
}

/** The same on one line. */
export function oneLine(text: string): string {
  return plainText(text).replaceAll('\n', ' ');
}

/** Steering characters as escapes, for the inside of a string literal of JSON or JavaScript. */
export function escapeSteering(literal: string): string {
  const unit = (code: string): string => `\\u${code.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return literal.replace(STEERING, (character) => character.split('').map(unit).join(''));
}
