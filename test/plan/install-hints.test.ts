import { expect, it } from 'vitest';
import { installLines, systemIds } from '../../pipeline/plan/install-hints.ts';

it('reads a system and its relatives, nearest first', () => {
  expect(systemIds('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')).toEqual([
    'linuxmint',
    'ubuntu',
    'debian',
  ]);
  expect(systemIds('')).toEqual([]);
});

it.each([
  [['debian'], 'sudo apt-get install gcc libc6-dev'],
  [['linuxmint', 'ubuntu', 'debian'], 'sudo apt-get install gcc libc6-dev'],
  [['fedora'], 'sudo dnf install gcc glibc-static'],
  [['arch'], 'sudo pacman -S gcc glibc'],
])('names the packages of %j', (ids, line) => {
  expect(installLines(['cc', 'static-libc'], ids)).toEqual([line]);
});

it('installs Rust once, by rustup, after what the system has', () => {
  const lines = installLines(['cargo', 'rustc', 'cc'], ['debian']);
  expect(lines).toEqual(['sudo apt-get install gcc', expect.stringContaining('rustup')]);
});

it('invents no command for a system it does not know', () => {
  expect(installLines(['cc'], ['plan9'])).toEqual(["install cc with this system's package manager"]);
});
