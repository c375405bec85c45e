/** The part of npm's own configuration reader that is used here; the package carries no types. */
declare module '@npmcli/config' {
  interface Options {
    npmPath: string;
    definitions: unknown;
    shorthands: unknown;
    flatten: unknown;
    nerfDarts: unknown;
    cwd: string;
    env: Record<string, string | undefined>;
    argv: string[];
    warn: boolean;
  }
  export default class Config {
    constructor(options: Options);
    load(): Promise<void>;
    readonly flat: Record<string, unknown>;
    getCredentialsByURI(uri: string): { token?: string; auth?: string };
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const npm: { definitions: unknown; shorthands: unknown; flatten: unknown; nerfDarts: unknown };
  export default npm;
}
