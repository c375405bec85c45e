import type { Bump, ChangeKind } from '../../pipeline/bindings/abi-kinds.ts';
import type { Override } from '../../pipeline/bindings/overrides.ts';

/** One edit of test/fixtures/abi/machine.h, and what must be said of it. */
export interface Mutant {
  readonly what: string;
  /** Stands in the header exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly kinds: readonly ChangeKind[];
  readonly rust: Bump;
  readonly npm: Bump;
  /** What a person found out, where the edit makes the header say less. */
  readonly overrides: readonly Override[];
}

const mutant = (
  what: string,
  find: string,
  replace: string,
  kinds: readonly ChangeKind[],
  [rust, npm]: readonly [Bump, Bump],
  overrides: readonly Override[] = [],
): Mutant => ({ what, find, replace, kinds, rust, npm, overrides });

const MAJOR = ['major', 'major'] as const;
const MINOR = ['minor', 'minor'] as const;
const PATCH = ['patch', 'patch'] as const;
const RUST_ONLY = ['major', 'patch'] as const;

const USED = 'uint64_t machine_used(void);';
const MODE = '    uint32_t width;\n    uint32_t height;\n';
const MAC: Override = {
  function: 'machine_add_net',
  parameters: { mac: { role: { kind: 'fixed-bytes', length: 6 } } },
  reason: 'It is only read.',
};

const RAW_OUT: Override = {
  function: 'machine_count',
  returns: 'status',
  parameters: { count: { role: { kind: 'value' } } },
  reason: 'Whoever calls it from Rust passes a place for the number.',
};
const BLOB: Override = {
  function: 'machine_describe_screen',
  parameters: { blob: { role: { kind: 'buffer', lengthIn: 'size' } } },
  reason: 'The size is that of the blob, whatever its type.',
};
/** From one declaration to the end of the next. */
const TWO = `int32_t machine_nests(void);

/**
 * Shows another mode.
 *
 * Returns:
 *  Zero on success or a negative error number on failure.
 */
int32_t machine_set_mode(uint32_t id, struct machine_mode *mode);`;

const FUNCTIONS: readonly Mutant[] = [
  mutant('a function is added', USED, `${USED}\nuint64_t machine_seen(void);`, ['function-added'], MINOR),
  mutant('a function is removed', 'int32_t machine_free(uint32_t id);', '', ['function-removed'], MAJOR),
  mutant('two functions are removed, as in 1.17', TWO, '', ['function-removed', 'function-removed'], MAJOR),
  mutant(
    'a function is added that Node cannot offer, as with the first out parameters',
    USED,
    `${USED}\nint32_t machine_count(uint32_t id, uint32_t *count);`,
    ['function-added'],
    ['minor', 'patch'],
    [RAW_OUT],
  ),
  mutant('the return type changes', USED, 'uint32_t machine_used(void);', ['return-type'], MAJOR),
  mutant('nothing is returned any more', USED, 'void machine_used(void);', ['return-type'], MAJOR),
  mutant('uint64_t is returned as size_t', USED, 'size_t machine_used(void);', ['same-width'], RUST_ONLY),
  mutant('an alias is returned', 'int machine_add_net', 'int32_t machine_add_net', ['type-spelling'], PATCH),
  mutant(
    'the meaning of the returned number changes',
    'The number of the machine on success',
    'Zero on success',
    ['return-class', 'docs'],
    ['patch', 'major'],
  ),
  mutant(
    'a function never returns',
    'machine_start(uint32_t id);',
    'machine_start(uint32_t id) __attribute__((noreturn));',
    ['never-returns'],
    MAJOR,
  ),
  mutant(
    'a function takes any number of arguments',
    'machine_free(uint32_t id)',
    'machine_free(uint32_t id, ...)',
    ['argument-list', 'node-withdrawn'],
    MAJOR,
  ),
  mutant('a prototype is written', 'machine_create()', 'machine_create(void)', ['prototype'], PATCH),
  mutant('a function is deprecated', USED, `__attribute__((deprecated)) ${USED}`, ['deprecated'], MINOR),
  mutant('a comment changes', 'Counts bytes in use.', 'Counts the bytes in use.', ['docs'], PATCH),
];

const PARAMETERS: readonly Mutant[] = [
  mutant('a parameter is added', 'bool read_only)', 'bool read_only, uint32_t flags)', ['parameter-added'], MAJOR),
  mutant('a parameter is removed', 'uint32_t mib, uid_t owner)', 'uint32_t mib)', ['parameter-removed', 'docs'], MAJOR),
  mutant(
    'two parameters of one type change places',
    'uint32_t mib, uid_t owner)',
    'uid_t owner, uint32_t mib)',
    ['type-spelling', 'parameter-moved', 'type-spelling', 'parameter-moved', 'docs'],
    MAJOR,
  ),
  mutant(
    'a parameter is renamed',
    'machine_start(uint32_t id)',
    'machine_start(uint32_t m)',
    ['parameter-renamed', 'docs'],
    PATCH,
  ),
  mutant('u32 becomes i32', 'machine_free(uint32_t id)', 'machine_free(int32_t id)', ['parameter-narrower'], MAJOR),
  mutant(
    'u32 becomes u64',
    'machine_free(uint32_t id)',
    'machine_free(uint64_t id)',
    ['parameter-wider'],
    ['major', 'minor'],
  ),
  mutant('int becomes bool', 'int fd,', 'bool fd,', ['parameter-type'], MAJOR),
  mutant('bool becomes u8', 'bool read_only', 'uint8_t read_only', ['parameter-type'], MAJOR),
  mutant('size_t becomes uint64_t', 'size_t shared', 'uint64_t shared', ['same-width'], RUST_ONLY),
  mutant(
    'size_t that counts a buffer becomes uint64_t',
    'const uint8_t *blob, size_t size',
    'const uint8_t *blob, uint64_t size',
    ['same-width'],
    RUST_ONLY,
    [BLOB],
  ),
  mutant('int becomes int32_t', 'int fd,', 'int32_t fd,', ['type-spelling'], PATCH),
  mutant(
    'a typedef takes the place of what it stands for',
    'machine_start(uint32_t id)',
    'machine_start(machine_id id)',
    ['type-spelling'],
    PATCH,
  ),
  mutant('const is dropped', 'const uint8_t *mac', 'uint8_t *mac', ['const-dropped'], RUST_ONLY, [MAC]),
  mutant(
    'const is added',
    'struct machine_mode *mode);',
    'const struct machine_mode *mode);',
    ['const-added'],
    ['minor', 'patch'],
  ),
  mutant('more bytes are read', 'array of 6', 'array of 8', ['parameter-use', 'docs'], ['patch', 'major']),
  mutant(
    'null is allowed',
    '"path" - the program.',
    '"path" - the program, or NULL.',
    ['null-allowed', 'docs'],
    ['patch', 'minor'],
  ),
  mutant('null is refused', ', or NULL for none.', '.', ['null-refused', 'docs'], ['patch', 'major']),
  mutant(
    'bytes take the place of a record that only Rust can pass',
    'sizeof() the struct machine_screen.',
    'the size of it in bytes.',
    ['parameter-use', 'parameter-use', 'node-offered', 'docs'],
    ['patch', 'minor'],
  ),
];

const VALUES: readonly Mutant[] = [
  mutant(
    'a macro is added',
    '#define MACHINE_LEVEL_ALL 5',
    '#define MACHINE_LEVEL_ALL 5\n#define MACHINE_MORE 6',
    ['constant-added'],
    MINOR,
  ),
  mutant(
    'a string macro is added, as in 1.18',
    '#define MACHINE_LEVEL_ALL 5',
    '#define MACHINE_LEVEL_ALL 5\n#define MACHINE_LABEL "label"',
    ['constant-added'],
    MINOR,
  ),
  mutant('a macro is removed', '#define MACHINE_LEVEL_ALL 5\n', '', ['constant-removed'], MAJOR),
  mutant('the value of a macro changes', 'TARGET_DEFAULT -1', 'TARGET_DEFAULT -2', ['constant-value'], MAJOR),
  mutant('a macro that others are made of changes', '1 << 0', '1 << 1', ['constant-value', 'constant-value'], MAJOR),
  mutant('a macro becomes unsigned', 'SCREENS 16', 'SCREENS 16u', ['constant-type'], RUST_ONLY),
  mutant('a string changes', '"machine"', '"engine"', ['constant-value'], MAJOR),
  mutant('a number becomes a string of the same digits', 'LEVEL_OFF 0', 'LEVEL_OFF "0"', ['constant-value'], MAJOR),
  mutant('a macro is spelled in another way', '(1 << 7)', '0x80', [], ['none', 'none']),
  mutant('an enum gets a value', 'COW = 3,', 'COW = 3,\n    MACHINE_FORMAT_DISK,', ['enum-value-added'], MINOR),
  mutant('an enum loses a value', '    MACHINE_FORMAT_RAW,\n', '', ['enum-value-removed'], MAJOR),
  mutant('the value of an enum changes', 'COW = 3', 'COW = 4', ['enum-value-changed'], MAJOR),
  mutant('an enum becomes signed', 'COW = 3', 'COW = -3', ['enum-type', 'enum-value-changed'], MAJOR),
  mutant(
    'an enum is added',
    'enum machine_format {',
    'enum machine_kind { MACHINE_KIND };\nenum machine_format {',
    ['enum-added'],
    MINOR,
  ),
];

const TYPES: readonly Mutant[] = [
  mutant(
    'a field is appended',
    'const char *name;',
    'const char *name;\n    uint64_t rate;',
    ['record-layout', 'field-added'],
    RUST_ONLY,
  ),
  mutant(
    'two fields change places',
    MODE,
    '    uint32_t height;\n    uint32_t width;\n',
    ['field-moved', 'field-moved'],
    RUST_ONLY,
  ),
  mutant('a field gets another type', 'uint32_t height;', 'int32_t height;', ['field-type'], RUST_ONLY),
  mutant('a bit-field gets wider', 'kind : 4;', 'kind : 5;', ['field-bits', 'field-bits'], RUST_ONLY),
  mutant('a bit-field becomes a field', 'ready : 1;', 'ready;', ['record-layout', 'field-bits'], RUST_ONLY),
  mutant('a bit-field becomes signed', 'unsigned int kind', 'int kind', ['field-type'], RUST_ONLY),
  mutant('a field is spelled in another way', 'uint32_t height;', 'unsigned height;', ['type-spelling'], PATCH),
  mutant(
    'a record is added',
    'typedef uint32_t machine_id;',
    'typedef uint32_t machine_id;\nstruct machine_more { int one; };',
    ['record-added'],
    ['minor', 'patch'],
  ),
  mutant(
    'a callback takes another type',
    'uint32_t frame)',
    'uint64_t frame)',
    ['field-type', 'typedef-type'],
    RUST_ONLY,
  ),
  mutant(
    'a typedef gets wider',
    'typedef uint32_t machine_id;',
    'typedef uint64_t machine_id;',
    ['parameter-wider', 'typedef-type'],
    ['major', 'minor'],
  ),
  mutant(
    'a typedef is added',
    'typedef uint32_t machine_id;',
    'typedef uint32_t machine_id;\ntypedef int machine_fd;',
    ['typedef-added'],
    ['minor', 'patch'],
  ),
];

export const MUTANTS: readonly Mutant[] = [...FUNCTIONS, ...PARAMETERS, ...VALUES, ...TYPES];

/** What must be said when an edit is taken back, where that is more than the same in other words. */
export const TAKEN_BACK: readonly Pick<Mutant, 'what' | 'kinds' | 'rust' | 'npm'>[] = [
  { what: 'a function is deprecated', kinds: ['no-longer-deprecated'], rust: 'patch', npm: 'patch' },
  { what: 'const is dropped', kinds: ['const-added'], rust: 'minor', npm: 'patch' },
  { what: 'const is added', kinds: ['const-dropped'], rust: 'major', npm: 'patch' },
  { what: 'u32 becomes u64', kinds: ['parameter-narrower'], rust: 'major', npm: 'major' },
  { what: 'a function never returns', kinds: ['return-class'], rust: 'patch', npm: 'major' },
  {
    what: 'bytes take the place of a record that only Rust can pass',
    kinds: ['parameter-use', 'parameter-use', 'node-withdrawn', 'docs'],
    rust: 'patch',
    npm: 'major',
  },
  { what: 'a field is appended', kinds: ['record-layout', 'field-removed'], rust: 'major', npm: 'patch' },
  { what: 'an enum is added', kinds: ['enum-removed'], rust: 'major', npm: 'major' },
  { what: 'a record is added', kinds: ['record-removed'], rust: 'major', npm: 'patch' },
  { what: 'a typedef is added', kinds: ['typedef-removed'], rust: 'major', npm: 'patch' },
];
