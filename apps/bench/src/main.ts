/** `pnpm bench <name>`: one file here for each bench. A result goes to stdout, progress to stderr. */
import { Command } from 'commander';
import { addExactnessCommand } from './exactness.ts';

const program = new Command('bench').description('measurements of vastmax; each prints a table, or one JSON object with --json');
addExactnessCommand(program);
await program.parseAsync();
