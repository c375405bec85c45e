import ts from 'typescript';

const ORACLE = `
import type * as Ours from './ours';
import type * as Theirs from './theirs';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
// Only ours knows the value of a constant; the function types must be the same in both directions.
type Agree<A, B> = B extends (...values: never[]) => unknown ? Same<A, B> : [A] extends [B] ? true : false;
type Namespaces = 'raw';
type Differ<A, B> = {
  [K in Exclude<keyof A | keyof B, Namespaces>]: K extends keyof A
    ? K extends keyof B ? (Agree<A[K], B[K]> extends true ? never : K) : K
    : K;
}[Exclude<keyof A | keyof B, Namespaces>];
type In<M, N> = N extends keyof M ? M[N] : {};

export type Bad = Differ<typeof Ours, typeof Theirs> | Differ<In<typeof Ours, 'raw'>, In<typeof Theirs, 'raw'>>;
const none: [Bad] extends [never] ? true : Bad = true;
void none;
`;

/** What the comparison found. */
export interface Comparison {
  /** Exported names whose types differ, or that only one side has. */
  readonly differ: readonly string[];
  /** Errors of the declarations themselves, under `strict`. */
  readonly errors: readonly string[];
}

// The declarations of the language itself, the same in every comparison.
const libraries = new Map<string, ts.SourceFile | undefined>();

/** Compares two declaration files in meaning, name by name, by the TypeScript compiler. */
export function compareDeclarations(ours: string, theirs: string): Comparison {
  const files = new Map([
    ['/ours.d.ts', ours],
    ['/theirs.d.ts', theirs],
    ['/oracle.ts', ORACLE],
  ]);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
    lib: ['lib.es2022.d.ts'],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = files.get(name);
    if (text !== undefined) return ts.createSourceFile(name, text, version);
    const library = libraries.get(name) ?? getSourceFile(name, version, ...rest);
    libraries.set(name, library);
    return library;
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const errors = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file?.fileName !== '/oracle.ts')
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  return { differ: namesOf(program), errors };
}

function namesOf(program: ts.Program): readonly string[] {
  const oracle = program.getSourceFile('/oracle.ts');
  const bad = oracle?.statements.find((one) => ts.isTypeAliasDeclaration(one) && one.name.text === 'Bad');
  if (bad === undefined) throw new Error('the comparison has no result');
  const type = program.getTypeChecker().getTypeAtLocation(bad);
  if (type.flags & ts.TypeFlags.Never) return [];
  const members = type.isUnion() ? type.types : [type];
  return members.map((member) =>
    member.isStringLiteral() ? member.value : program.getTypeChecker().typeToString(member),
  );
}
