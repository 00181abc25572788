/** Scripts as projects have them. */
export const ORDINARY_SCRIPTS: readonly { readonly file: string; readonly text: string }[] = [];
