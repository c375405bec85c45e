import type { Docs } from './ir.ts';
import type { NodeFunction, NodeParameter } from './napi-model.ts';
import { rustName } from './napi-names.ts';
import { rustDocs, rustIdentifier } from './rust-text.ts';

/** The module of the emitted crate with one registered function for each function that Node offers. */
export function emitFunctions(functions: readonly NodeFunction[], docs: boolean): string {
  if (functions.length === 0) return '';
  const body = functions.map((one) => emitResultType(one, docs) + emitFunction(one, docs)).join('');
  const results = new Set(functions.flatMap(({ result }) => result.values.map(({ rust }) => rust)));
  const wide = ['i64n', 'Uint8Array'].filter((name) => results.has(name));
  const takesArguments = functions.some(({ parameters }) => parameters.length > 0);
  const uses = [
    use('krun_node', takesArguments ? ['napi', 'Argument'] : ['napi']),
    use('napi::bindgen_prelude', wide),
    use('napi', ['Env', 'Result']),
  ];
  return `\n${uses.join('')}\nuse super::FUNCTIONS;\n${body}`;
}

function use(module: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  return `use ${module}::${names.length === 1 ? names[0] : `{${names.join(', ')}}`};\n`;
}

/**
 * The header's words as `///` lines, which nothing inside can end. The napi tool makes a block comment of them, which
 * nothing may close either, nor pass for a tag of it.
 */
export function napiDocs(docs: Docs | null, indent = ''): string {
  return rustDocs(docs, indent).replaceAll('*/', '*\\/').replaceAll('@', '\\@');
}

const NO_DOCS: Docs = { summary: '', details: '', parameters: {}, returns: '', deprecated: null };

/** The object in which a function with several results returns them. */
function emitResultType({ item, result }: NodeFunction, docs: boolean): string {
  if (result.values.length < 2) return '';
  const fields = result.values.map(({ cName, jsName, rust }) => {
    const words = docs && cName !== null ? (item.docs?.parameters[cName] ?? '') : '';
    const comment = napiDocs({ ...NO_DOCS, summary: words }, '    ');
    return `${comment}    #[napi(js_name = "${jsName}")]\n    pub ${rustName(cName ?? jsName)}: ${rust},\n`;
  });
  const keys = result.values.map(({ cName, jsName }) => `${rustName(cName ?? jsName)}: c"${jsName}"`);
  return `
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ${result.rust} {
${fields.join('')}}
krun_node::result_object!(${result.rust} { ${keys.join(', ')} });
`;
}

function emitFunction(one: NodeFunction, docs: boolean): string {
  const { item, result } = one;
  const attributes = [
    ...(one.namespace === null ? [] : [`namespace = "${one.namespace}"`]),
    `js_name = "${one.jsName}"`,
    `ts_args_type = "${one.parameters.map(tsParameter).join(', ')}"`,
    // All other types follow from the Rust type.
    ...(result.type === 'never' ? ['ts_return_type = "never"'] : []),
  ];
  const parameters = one.parameters.map(({ cName }) => `, ${rustName(cName)}: Argument`).join('');
  return `
${docs ? napiDocs(item.docs) : ''}#[napi(${attributes.join(', ')})]
pub fn ${rustName(item.name)}(node: Env${parameters}) -> Result<${result.rust}> {
${[...conversions(one), ...locals(one), ...call(one)].map((line) => `    ${line}\n`).join('')}}
`;
}

function conversions({ parameters, mapped }: NodeFunction): readonly string[] {
  const names = new Map(parameters.map(({ cName, jsName }) => [cName, jsName]));
  return mapped.flatMap(({ parameter, from }) => {
    if (from === null) return [];
    const name = rustName(parameter.name);
    const keyword = from.mutable ? 'let mut' : 'let';
    return [`${keyword} ${name} = ${name}.${from.method}("${names.get(parameter.name)}")?;`];
  });
}

function locals({ mapped }: NodeFunction): readonly string[] {
  return mapped.flatMap(({ parameter, local }) =>
    local === null ? [] : [`let mut ${rustName(parameter.name)}: ${local.type} = ${local.value};`],
  );
}

/** Finds the function only after the arguments are good, so that bad ones are refused with or without a libkrun. */
function call({ item, mapped, result }: NodeFunction): readonly string[] {
  const { method, isVoid, values } = result;
  const find = `let call = FUNCTIONS.find(node, c"${item.name}", |all| all.${rustIdentifier(item.name)})?;`;
  const invoke = `unsafe { (call.function)(${mapped.map(({ pass }) => pass).join(', ')}) };`;
  const lines = [find, isVoid ? invoke : `let result = ${invoke}`];
  const [first] = values;
  if (method === 'never') return [...lines, 'call.never(result)'];
  if (method === 'status' && first === undefined) return [...lines, 'call.status(result)'];
  if (method === 'status') lines.push('call.status(result)?;');
  const value = resultValue(result.rust, values);
  // `Ok(x?)` is `x`.
  return [...lines, values.length === 1 && value.endsWith('?') ? value.slice(0, -1) : `Ok(${value})`];
}

function resultValue(type: string, values: NodeFunction['result']['values']): string {
  const [first] = values;
  if (first === undefined) return '()';
  if (values.length === 1) return first.value;
  const fields = values.map(({ cName, jsName, value }) => {
    const name = rustName(cName ?? jsName);
    return name === value ? name : `${name}: ${value}`;
  });
  return `${type} { ${fields.join(', ')} }`;
}

/** A parameter as the TypeScript declaration writes it, in the napi tool's own form. */
function tsParameter({ jsName, type, nullable, optional }: NodeParameter): string {
  return `${jsName}${optional ? '?' : ''}: ${nullable ? `${type} | undefined | null` : type}`;
}
