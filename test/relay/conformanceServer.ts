/**
 * A server with everything the official conformance suite asks for, over stdio. What each tool, resource and prompt must say is in the
 * suite's own descriptions of its scenarios.
 */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** One red pixel; a WAV of no samples. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

type Args = Readonly<Record<string, unknown>>;
interface Call {
  readonly args: Args;
  readonly progressToken: string | number | undefined;
  readonly request: (message: { method: string; params: Record<string, unknown> }, schema: never) => Promise<Record<string, unknown>>;
  readonly notify: (message: { method: string; params: Record<string, unknown> }) => Promise<void>;
}

const text = (said: string): Record<string, unknown> => ({ content: [{ type: 'text', text: said }] });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const noArguments = { type: 'object', properties: {} };
const oneString = (name: string): Record<string, unknown> => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
});

async function elicit(call: Call, message: string, requestedSchema: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { action, content } = await call.request(
    { method: 'elicitation/create', params: { message, requestedSchema } },
    ElicitResultSchema as never,
  );
  return { action, content: JSON.stringify(content ?? {}) };
}

const TITLED = (prefix: string): readonly Record<string, string>[] =>
  ['First', 'Second', 'Third'].map((word, at) => ({ const: `value${at + 1}`, title: `${word} ${prefix}` }));

interface Tool {
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  readonly run: (call: Call) => Promise<Record<string, unknown>>;
}

const TOOLS: Readonly<Record<string, Tool>> = {
  test_simple_text: {
    description: 'Gives a line of text',
    inputSchema: noArguments,
    run: async () => text('This is a simple text response for testing.'),
  },
  test_image_content: {
    description: 'Gives a picture',
    inputSchema: noArguments,
    run: async () => ({ content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] }),
  },
  test_audio_content: {
    description: 'Gives a recording',
    inputSchema: noArguments,
    run: async () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  },
  test_embedded_resource: {
    description: 'Gives a resource',
    inputSchema: noArguments,
    run: async () => ({
      content: [
        {
          type: 'resource',
          resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' },
        },
      ],
    }),
  },
  test_multiple_content_types: {
    description: 'Gives text, a picture and a resource',
    inputSchema: noArguments,
    run: async () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: PNG, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: JSON.stringify({ test: 'data', value: 123 }),
          },
        },
      ],
    }),
  },
  test_tool_with_logging: {
    description: 'Logs while it works',
    inputSchema: noArguments,
    run: async ({ notify }) => {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await notify({ method: 'notifications/message', params: { level: 'info', data } });
        await pause(50);
      }
      return text('Tool with logging executed successfully');
    },
  },
  test_tool_with_progress: {
    description: 'Tells how far it is',
    inputSchema: noArguments,
    run: async ({ notify, progressToken }) => {
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
        await pause(50);
      }
      return text('Tool with progress executed successfully');
    },
  },
  test_error_handling: {
    description: 'Fails',
    inputSchema: noArguments,
    run: async () => ({ ...text('This tool intentionally returns an error for testing'), isError: true }),
  },
  test_sampling: {
    description: 'Asks the model',
    inputSchema: oneString('prompt'),
    run: async ({ args, request }) => {
      const { content } = await request(
        {
          method: 'sampling/createMessage',
          params: { messages: [{ role: 'user', content: { type: 'text', text: args['prompt'] } }], maxTokens: 100 },
        },
        CreateMessageResultSchema as never,
      );
      return text(`LLM response: ${(content as { text?: string }).text ?? ''}`);
    },
  },
  test_elicitation: {
    description: 'Asks the user',
    inputSchema: oneString('message'),
    run: async (call) => {
      const { action, content } = await elicit(call, String(call.args['message']), {
        type: 'object',
        properties: {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        },
        required: ['username', 'email'],
      });
      return text(`User response: action=${String(action)}, content=${String(content)}`);
    },
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks the user, with defaults',
    inputSchema: noArguments,
    run: async (call) => {
      const { action, content } = await elicit(call, 'Please review and update the form fields with defaults', {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'User name', default: 'John Doe' },
          age: { type: 'integer', description: 'User age', default: 30 },
          score: { type: 'number', description: 'User score', default: 95.5 },
          status: { type: 'string', description: 'User status', enum: ['active', 'inactive', 'pending'], default: 'active' },
          verified: { type: 'boolean', description: 'Verification status', default: true },
        },
        required: [],
      });
      return text(`Elicitation completed: action=${String(action)}, content=${String(content)}`);
    },
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks the user to choose',
    inputSchema: noArguments,
    run: async (call) => {
      const options = ['option1', 'option2', 'option3'];
      const { action, content } = await elicit(call, 'Please select options from the enum fields', {
        type: 'object',
        properties: {
          untitledSingle: { type: 'string', enum: options },
          titledSingle: { type: 'string', oneOf: TITLED('Option') },
          legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
          untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
          titledMulti: { type: 'array', items: { anyOf: TITLED('Choice') } },
        },
        required: [],
      });
      return text(`Elicitation completed: action=${String(action)}, content=${String(content)}`);
    },
  },
  test_reconnection: {
    description: 'Takes a while',
    inputSchema: noArguments,
    run: async () => {
      await pause(100);
      return text('Reconnection test completed successfully.');
    },
  },
  json_schema_2020_12_tool: {
    description: 'Tool with JSON Schema 2020-12 features',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
      properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
      additionalProperties: false,
    },
    run: async ({ args }) => text(`JSON Schema 2020-12 tool called with: ${JSON.stringify(args)}`),
  },
};

const RESOURCES = [
  { uri: 'test://static-text', name: 'static-text', description: 'A resource of text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', description: 'A resource of bytes', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched-resource', description: 'A resource to subscribe to', mimeType: 'text/plain' },
];

function readResource(uri: string): Record<string, unknown> {
  if (uri === 'test://static-text') return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: PNG };
  if (uri === 'test://watched-resource') return { uri, mimeType: 'text/plain', text: 'Watched resource content' };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) throw new Error(`no such resource: ${uri}`);
  return { uri, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) };
}

const said = (content: Record<string, unknown>): Record<string, unknown> => ({ role: 'user', content });
interface Prompt {
  readonly description: string;
  readonly arguments: readonly { readonly name: string; readonly description: string; readonly required: boolean }[];
  readonly messages: (args: Args) => readonly Record<string, unknown>[];
}
const PROMPTS: Readonly<Record<string, Prompt>> = {
  test_simple_prompt: {
    description: 'A prompt without arguments',
    arguments: [],
    messages: () => [said({ type: 'text', text: 'This is a simple prompt for testing.' })],
  },
  test_prompt_with_arguments: {
    description: 'A prompt with two arguments',
    arguments: ['arg1', 'arg2'].map((name) => ({ name, description: `Test argument ${name}`, required: true })),
    messages: ({ arg1, arg2 }) => [said({ type: 'text', text: `Prompt with arguments: arg1='${String(arg1)}', arg2='${String(arg2)}'` })],
  },
  test_prompt_with_embedded_resource: {
    description: 'A prompt that embeds a resource',
    arguments: [{ name: 'resourceUri', description: 'URI of the resource to embed', required: true }],
    messages: ({ resourceUri }) => [
      said({
        type: 'resource',
        resource: { uri: String(resourceUri), mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
      }),
      said({ type: 'text', text: 'Please process the embedded resource above.' }),
    ],
  },
  test_prompt_with_image: {
    description: 'A prompt with a picture',
    arguments: [],
    messages: () => [
      said({ type: 'image', data: PNG, mimeType: 'image/png' }),
      said({ type: 'text', text: 'Please analyze the image above.' }),
    ],
  },
};

const server = new Server(
  { name: 'conformance-server', version: '1.0.0' },
  {
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      logging: {},
      completions: {},
    },
  },
);
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: Object.entries(TOOLS).map(([name, { description, inputSchema }]) => ({ name, description, inputSchema }) as never),
}));
server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
  const tool = TOOLS[params.name];
  if (tool === undefined) throw new Error(`no such tool: ${params.name}`);
  return tool.run({
    args: params.arguments ?? {},
    progressToken: params._meta?.progressToken,
    request: (message, schema) => extra.sendRequest(message as never, schema),
    notify: (message) => extra.sendNotification(message as never),
  });
});
server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: RESOURCES }));
server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
  resourceTemplates: [
    {
      uriTemplate: 'test://template/{id}/data',
      name: 'template',
      description: 'A resource for each id',
      mimeType: 'application/json',
    },
  ],
}));
server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => ({ contents: [readResource(params.uri) as never] }));
server.setRequestHandler(SubscribeRequestSchema, () => ({}));
server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
server.setRequestHandler(ListPromptsRequestSchema, () => ({
  prompts: Object.entries(PROMPTS).map(([name, prompt]) => ({ name, description: prompt.description, arguments: [...prompt.arguments] })),
}));
server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
  const prompt = PROMPTS[params.name];
  if (prompt === undefined) throw new Error(`no such prompt: ${params.name}`);
  return { description: prompt.description, messages: prompt.messages(params.arguments ?? {}) as never };
});
server.setRequestHandler(CompleteRequestSchema, () => ({ completion: { values: ['paris', 'park', 'party'], total: 150, hasMore: false } }));
server.setRequestHandler(SetLevelRequestSchema, () => ({}));
await server.connect(new StdioServerTransport());
