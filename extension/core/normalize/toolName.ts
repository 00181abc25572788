/** Names of tools as a model and a person read them: what is not written in plain letters is made to be mistaken. */
import type { Collector } from '#core/normalize/collector.ts';
import { fold } from '#core/normalize/unicode.ts';

/** MCP recommends 1 to 128 characters; some clients take 64. */
const MAX_NAME = 128;

/** `at`: where the name stands in the arguments; empty for the name of the tool that is called. */
export function noteName(collector: Collector, at: string, name: string): void {
  const what = name.trim() === '' ? EMPTY : oddity(name);
  if (what === null) return;
  collector.note({
    rule: what.rule,
    title: what.title,
    category: 'tool-poisoning',
    severity: what.severity,
    confidence: 'high',
    at,
    span: null,
    matched: name.slice(0, 200),
    rationale: what.rationale,
  });
}

interface Oddity {
  readonly rule: `engine.${string}`;
  readonly title: string;
  readonly severity: 'medium' | 'high';
  readonly rationale: string;
}

const EMPTY: Oddity = {
  rule: 'engine.tool-without-name',
  title: 'A tool without a name',
  severity: 'high',
  rationale: 'A tool that has no name cannot be told from others, listed, or allowed and refused by name.',
};
const HIDDEN: Oddity = {
  rule: 'engine.disguised-tool-name',
  title: 'A tool name with characters that are not seen or look like others',
  severity: 'high',
  rationale: 'Two tools then carry the same name for a person and different ones for a program: calls meant for one reach the other.',
};
const CONTROL: Oddity = {
  rule: 'engine.unusual-tool-name',
  title: 'A tool name with spaces at its ends, control characters or markup',
  severity: 'high',
  rationale: 'Names are identifiers. Line breaks, markup and quotes in one are meant for whoever shows or reads the list of tools.',
};
const LONG: Oddity = {
  rule: 'engine.unusual-tool-name',
  title: 'A tool name far longer than names are',
  severity: 'medium',
  rationale: 'A name of this length carries text for the model, which reads names as it reads descriptions.',
};

function oddity(name: string): Oddity | null {
  if (/^[\w.\-/:]{1,128}$/u.test(name)) return null;
  const folded = fold(name);
  if (folded.hidden.first >= 0 || folded.hidden.swapped.length > 0 || mixesScripts(name)) return HIDDEN;
  // Another script by itself is a language; the same letters in another form are a copy of the plain ones.
  if (folded.text !== name && /^[\u0020-\u007e]{1,200}$/u.test(folded.text)) return HIDDEN;
  if (name !== name.trim() || /[\u0000-\u001f\u007f<>"'`{}\\]/u.test(name)) return CONTROL;
  return name.length > MAX_NAME ? LONG : null;
}

function mixesScripts(name: string): boolean {
  return /[a-z]/iu.test(name) && /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Cherokee}\p{Script=Armenian}]/u.test(name);
}
