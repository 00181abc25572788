export interface RulePack { readonly version: 1 }
