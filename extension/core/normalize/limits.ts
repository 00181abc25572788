/** Bounds that keep judging a call finite. What lies beyond a bound is reported, never silently left out. */

/** Most UTF-16 units of argument text that are looked at in one call. */
export const MAX_TEXT = 1 << 20;
/** Deepest JSON nesting that is walked. */
export const MAX_JSON_DEPTH = 64;
/** Most strings in one call. */
export const MAX_STRINGS = 20_000;
/** Most shell text, nested scripts included, that is parsed in one call. */
export const MAX_SHELL_TEXT = 512 * 1024;
/** Deepest nesting of substitutions, groups and `bash -c`. */
export const MAX_SHELL_DEPTH = 40;
export const MAX_COMMANDS = 4000;
/** Text the words of all commands may add up to, expanded and passed on: variables that hold themselves and wrappers of wrappers grow without end. */
export const MAX_SHELL_OUTPUT = 4 * MAX_SHELL_TEXT;
/** The same for a short text: so much for any, and so many times its length. Ordinary wrappers in one another make five times of it. */
export const SHELL_OUTPUT_FOR_ANY = 192 * 1024;
export const SHELL_OUTPUT_TIMES = 8;
/** Of the command lines that stand in running text, which weigh a warning at most: commands, and units their words may add up to. */
export const MAX_COMMANDS_IN_TEXT = 320;
export const MAX_OUTPUT_IN_TEXT = 64 * 1024;
/** Words one brace, variable or loop may expand to. */
export const MAX_EXPANSION = 256;
export const MAX_PATHS = 2000;
export const MAX_URLS = 2000;
export const MAX_EFFECTS = 2000;
/** Scripts read from disk in one call, and UTF-16 units of each. What is longer is judged as far as it was read, and reported. */
export const MAX_SCRIPTS = 16;
export const MAX_SCRIPT_TEXT = 256 * 1024;
/** Links are resolved by the caller with system calls: few. */
export const MAX_REALPATHS = 200;
/** Decoded text in one call, in UTF-16 units, and how often decoding is applied to what was decoded. */
export const MAX_DECODED_TEXT = 512 * 1024;
export const MAX_DECODE_DEPTH = 3;
export const MAX_BLOBS = 2000;
/** Text the rules look at in one call: arguments, what they expand to and what is decoded from them. */
export const MAX_SEARCHED = 6 * MAX_TEXT;
