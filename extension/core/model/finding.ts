/** Harm if the finding is true. */
export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type Confidence = 'low' | 'medium' | 'high';
/** `experimental` rules report only: policy never raises a verdict for them above `clean`. */
export type Status = 'experimental' | 'stable' | 'deprecated';

/** Something a rule (or a normalizer that gave up) saw in a call. Rules report; policy decides. */
export interface Finding {
  /** `<file>.<kebab>`, or `engine.<kebab>` for what the normalizers report themselves. */
  readonly rule: string;
  readonly title: string;
  readonly category: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly status: Status;
  /** Why it matters, one or two sentences for a person. */
  readonly rationale: string;
  /** JSON pointer (RFC 6901) into the call's arguments: `/command`, `/edits/0/new_string`. Empty: the whole call. */
  readonly at: string;
  /** UTF-16 offsets into the string at `at`; null when the match has no single place there (it was assembled). */
  readonly span: { readonly start: number; readonly end: number } | null;
  /** The text that matched, after normalization; at most 200 characters. */
  readonly matched: string;
  /** The decoded form the rule matched in, when it differs from the arguments; at most 2,000 characters. */
  readonly decoded: string | null;
}
