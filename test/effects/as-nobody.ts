import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { REPOSITORY } from '../helpers/session.ts';

/**
 * Runs one function of a module in a process that may do nothing special (root is refused nothing), and returns the
 * code, message and exit that it failed with, or `no failure`.
 */
export async function failureAsNobody(module: string, name: string, args: readonly unknown[]): Promise<unknown> {
  const path = JSON.stringify(join(REPOSITORY, module));
  const contents = `
    import { ${name} } from ${path};
    try {
      await ${name}(...${JSON.stringify(args)});
      console.log(JSON.stringify('no failure'));
    } catch (error) {
      const { code, message, exit } = error.failure ?? { message: String(error) };
      console.log(JSON.stringify({ code, message, exit }));
    }`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: REPOSITORY },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  });
  const stdout = execFileSync(process.execPath, ['--input-type=module', '-'], {
    input: outputFiles[0]?.text ?? '',
    cwd: '/',
    encoding: 'utf8',
    // nobody and nogroup; leaving root takes its rights along.
    uid: 65_534,
    gid: 65_534,
  });
  return JSON.parse(stdout);
}
