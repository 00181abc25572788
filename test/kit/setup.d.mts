/** Types of setup.mjs, which is plain JavaScript because it runs before there is anything to read TypeScript. */
export declare function ensureToolchain(): Promise<void>;
/** Gives the folder of code-server. */
export declare function ensureEditor(): Promise<string>;
/** Gives the folder whose `node_modules` holds the agents and MCP servers. */
export declare function ensureAgents(): Promise<string>;
/** Gives the program and names it in CHROMIUM. */
export declare function ensureChromium(): Promise<string>;
export declare function ensureNetcat(): Promise<void>;
export declare function continueWithPinnedNode(script: string, args: readonly string[]): Promise<void>;
/** Gives the folder whose `node_modules` holds the MCP servers and the conformance suite. */
export declare function ensureServers(): Promise<string>;
/** Gives the folder whose `node_modules` holds the clients that only read a rewritten configuration file. */
export declare function ensureMcpClients(): Promise<string>;
