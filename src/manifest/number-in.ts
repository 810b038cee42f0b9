/**
 * The number that a text such as `$5`, `5 USD`, `45s` or `1,50` names, as it is to be written; `undefined` where there
 * is none above 0.
 */
export function numberIn(text: string): string | undefined {
  const digits = /\d[\d.,]*/.exec(text)?.[0].replace(/[.,]+$/, '') ?? '';
  // A comma before three digits groups thousands, any other is a decimal comma.
  const plain = digits.replace(/,(?=\d{3}(\D|$))/g, '').replace(',', '.');
  return /^\d+(\.\d+)?$/.test(plain) && Number(plain) > 0 && !/^\s*-/.test(text) ? plain : undefined;
}
