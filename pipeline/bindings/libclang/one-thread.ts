import { readFile } from 'node:fs/promises';
import os from 'node:os';

/** What libclangjs gives, as far as it matters here. */
export interface WasmModule {
  /** Functions of the WebAssembly module, under the names that its linker gave them. */
  readonly asm: Readonly<Record<string, (value: number) => number>>;
}

/** Starts a program that emscripten made. */
type Start<M, O> = (options: O & { readonly instantiateWasm: InstantiateWasm }) => Promise<M>;

type Imports = Readonly<Record<string, Record<string, unknown>>>;
type InstantiateWasm = (imports: Imports, ready: (instance: object, module: object) => void) => object;

/** The part of JavaScript's WebAssembly that is used here; Node's types leave it to those of browsers. */
interface WebAssemblyApi {
  readonly Memory: abstract new () => { readonly buffer: ArrayBuffer };
  instantiate(bytes: Uint8Array, imports: Imports): Promise<{ readonly instance: object; readonly module: object }>;
}

const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };

/** libclang parses on a thread of its own unless this variable is set. */
const VARIABLE = Buffer.from('LIBCLANG_NOTHREADS=1\0');

/** The linker of libclangjs 0.5.1 shortened these names; whoever changes the version looks them up in its `node.js`. */
const ALLOCATE = 'Ja';
const SET_STACK = 'ab';

/**
 * Bytes for the stack of the functions, which has 64 KiB otherwise: as many as libclang asks for its own thread. Node's
 * own stack ends long before it does, with an exception that says so.
 */
const STACK_SIZE = 8 * 1024 * 1024;

/**
 * Starts the WebAssembly libclang so that it parses without threads. Each look of a thread into the file system is a
 * message to the first thread and costs a millisecond: a parse then takes 40 ms instead of 3, and the start of each
 * thread some 100.
 * @param path of the WebAssembly file
 * @throws Error when the file cannot be read or is not of the version that this is made for.
 */
export async function startWithOneThread<M extends WasmModule, O>(
  start: Start<M, O>,
  path: string,
  options: O,
): Promise<M> {
  const bytes = await readFile(path);
  const module = await new Promise<M>((resolve, reject) => {
    const instantiateWasm: InstantiateWasm = (imports, ready) => {
      for (const functions of Object.values(imports)) setVariable(functions);
      wasm.instantiate(bytes, imports).then(({ instance, module }) => ready(instance, module), reject);
      return {};
    };
    withoutProcessors(() => start({ ...options, instantiateWasm })).then(resolve, reject);
  });
  widenStack(module);
  return module;
}

/** Runs what makes a thread for each processor that it is told of. */
async function withoutProcessors<T>(start: () => Promise<T>): Promise<T> {
  const { cpus } = os;
  os.cpus = () => [];
  try {
    return await start();
  } finally {
    os.cpus = cpus;
  }
}

/** Gives the functions a stack that suffices for what libclang allows to be nested. */
function widenStack({ asm }: WasmModule): void {
  const setStack = asm[SET_STACK];
  const lowest = asm[ALLOCATE]?.(STACK_SIZE) ?? 0;
  if (lowest === 0 || setStack === undefined) throw new Error('libclangjs has no memory, or is of another version');
  // The stack grows downwards, and is aligned to 16 bytes.
  setStack((lowest + STACK_SIZE) & ~15);
}

/** Replaces the functions by which a WebAssembly program gets its environment: it then has one variable. */
function setVariable(functions: Record<string, unknown>): void {
  const memory = Object.values(functions).find((value) => value instanceof wasm.Memory);
  if (memory === undefined) throw new Error('libclangjs brings no memory');
  const write = (address: number, value: number) => new DataView(memory.buffer).setUint32(address, value, true);
  replace(functions, '_environ_sizes_get', (count, size) => {
    write(count, 1);
    write(size, VARIABLE.length);
    return 0;
  });
  replace(functions, '_environ_get', (pointers, text) => {
    write(pointers, text);
    new Uint8Array(memory.buffer).set(VARIABLE, text);
    return 0;
  });
}

/** Import names are shortened, but the functions still know their own. */
function replace(functions: Record<string, unknown>, name: string, by: (one: number, other: number) => number): void {
  const key = Object.keys(functions).find((key) => (functions[key] as { readonly name?: string }).name === name);
  if (key === undefined) throw new Error(`libclangjs imports no ${name}`);
  functions[key] = by;
}
