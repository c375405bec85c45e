import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MadeElf, makeElf } from '../binary/make-elf.ts';

/**
 * A shell script that plays a compiler: it notes in `called` how it was called, answers what a compiler is asked about
 * itself, and makes the file described, which also comes to lie in the folder as `made.elf`.
 */
export function compileWith(folder: string, elf: MadeElf): string {
  const made = join(folder, 'made.elf');
  writeFileSync(made, makeElf({ type: 2, ...elf }));
  return `case "$1" in
  --version|version) echo 1.0; exit 0 ;;
  -print-file-name=*) echo ${made}; exit 0 ;;
esac
echo "\${0##*/} $*" >> ${join(folder, 'called')}
while [ "$1" != -o ]; do shift; done
/bin/cp ${made} "$2"`;
}
