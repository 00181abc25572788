/** What the normalizer makes of a call: named fields, each with its place in the arguments. Data only. */
import type { Access, EffectKind, FieldName, HostKind, PathTrait } from '#core/detect/rulePack.ts';
import type { Confidence, Severity } from '#core/model/finding.ts';

/** UTF-16 offsets into the string a pointer names. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place in the arguments: JSON pointer, and offsets when there is one stretch of text that can be shown. */
export interface Place {
  readonly at: string;
  readonly span: Span | null;
}

export interface TextField extends Place {
  readonly field: FieldName;
  /** Folded: NFKC, look-alikes replaced, invisible characters removed. */
  readonly text: string;
  /** For every UTF-16 unit of `text` (and its end) the offset in the argument; null when they are the same. */
  readonly offsets: Int32Array | null;
  /** True when `text` was decoded or assembled, so offsets into it mean nothing; `span` then holds the source. */
  readonly derived: boolean;
}

export interface Redirect {
  /** `>`, `>>`, `<`, `<<`, `<<<`, `>&` … */
  readonly op: string;
  readonly target: string;
}

export interface CommandField extends Place {
  /** Base name, lower case, without `.exe`. */
  readonly program: string;
  /** Program and arguments after quotes, variables and constant substitutions are resolved. */
  readonly words: readonly string[];
  /** Names without dashes; `-rf` gives `r`, `f` and `rf`; `--force=x` gives `force`. */
  readonly flags: ReadonlySet<string>;
  readonly operands: readonly string[];
  readonly redirects: readonly Redirect[];
  /** `NAME=value` in front of the program. */
  readonly assigns: readonly string[];
  /** Literal text known to arrive on standard input. */
  readonly stdin: readonly string[];
  readonly paths: readonly PathField[];
  readonly urls: readonly UrlField[];
  /** Commands whose output this one reads: earlier in the pipeline, in `<(…)`, or in `$(…)` it evaluates. */
  readonly from: readonly CommandField[];
  /** Commands that read this one's output. */
  readonly to: readonly CommandField[];
}

export interface PathField extends Place {
  /** Absolute where it can be told, home folders written `~`, no `.` or `..`, `/` as separator. */
  readonly text: string;
  readonly access: Access;
  /** How it was written; the same for every form of one written path. */
  readonly traits: ReadonlySet<PathTrait>;
}

export interface UrlField extends Place {
  readonly href: string;
  /** Lower case, without the colon. */
  readonly scheme: string;
  /** Lower case; an address in any numeric notation is folded to its canonical form. */
  readonly host: string;
  readonly kinds: ReadonlySet<HostKind>;
  readonly port: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly userinfo: string;
}

export interface EffectField extends Place {
  readonly effect: EffectKind;
  /** A host for `send` and `fetch`, a package for `install`, a user or capability for `escalate`, a path for `run`; empty if it cannot be told. */
  readonly target: string;
}

/** What a normalizer itself has to report: it could not look, or saw something meant not to be seen. */
export interface EngineNote extends Place {
  readonly rule: `engine.${string}`;
  readonly title: string;
  readonly category: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly rationale: string;
  readonly matched: string;
}

export interface Fields {
  readonly texts: readonly TextField[];
  readonly commands: readonly CommandField[];
  readonly paths: readonly PathField[];
  readonly urls: readonly UrlField[];
  readonly effects: readonly EffectField[];
  readonly notes: readonly EngineNote[];
}
