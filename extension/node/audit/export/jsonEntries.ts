/** The entries as they are: the journal's own bytes, so that every hash and link can still be checked. */
import type { Encoder } from '#node/audit/export/encoderShape.ts';

export function jsonLinesEncoder(): Encoder {
  return { begin: () => '', entry: ({ bytes }) => `${bytes.toString('utf8')}\n`, end: () => '' };
}

export function jsonEncoder(): Encoder {
  let first = true;
  return {
    begin: () => '[',
    entry: ({ bytes }) => {
      const before = first ? '\n' : ',\n';
      first = false;
      return before + bytes.toString('utf8');
    },
    end: () => '\n]\n',
  };
}
