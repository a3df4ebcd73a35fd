/**
 * The options of a command as a JSON file: read, printed, and described by a JSON Schema. Keys are the options' long
 * names in camel case, values are checked as on the command line, and the command line overrides the file. The schema
 * is generated from the options, so the two cannot differ.
 */
import { shown } from '@vastmax/checkpoints';
import { closeSync, openSync, readSync } from 'node:fs';
import { InvalidArgumentError, type Command, type Option } from 'commander';
import { UsageError } from '../terminal/errors.ts';
import { schemaOf, type ValueSchema } from './option-values.ts';

/** Options of one call, which are not part of a training run's configuration. */
const optionsOfTheCall = new Set(['config', 'printConfig', 'printConfigSchema', 'dryRun', 'resume', 'overwrite']);
/** Of a configuration file. */
const maxConfigBytes = 2 ** 20;
const schemaFile = 'train-config.schema.json';

export interface ConfigOptions {
  readonly config?: string;
  readonly printConfig?: true;
  readonly printConfigSchema?: true;
  /** The argument of the command, if the file contains it. */
  readonly text?: string;
}

/**
 * Key for the values of options that are not set; printed for information only. It is not read, so that another loss on
 * the command line gets its own default rates.
 */
const dependentKey = '$defaults';

/**
 * Every option with its value or default, as a file that --config reads; options whose default depends on others are
 * included only if they are set.
 * @param dependent the values of those that are not set.
 */
export function describeConfig(command: Command, text: string | undefined, dependent: object): string {
  const values = configurable(command).map((option) => [
    option.attributeName(),
    command.getOptionValue(option.attributeName()) as unknown,
  ]);
  return `${JSON.stringify({ $schema: schemaFile, text, ...Object.fromEntries(values), [dependentKey]: dependent }, null, 2)}\n`;
}

export function describeConfigSchema(command: Command): string {
  const properties = Object.fromEntries(
    configurable(command).map((option) => [
      option.attributeName(),
      {
        description: option.description,
        ...valueSchema(option),
        ...(option.defaultValue === undefined ? {} : { default: option.defaultValue as unknown }),
      },
    ]),
  );
  const [argument] = command.registeredArguments;
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Configuration of vastmax ${command.name()}`,
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      [dependentKey]: { description: 'what options that are not set come to with these; not read', type: 'object' },
      text: { description: argument?.description, type: 'string' },
      ...properties,
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function configurable(command: Command): Option[] {
  return command.options.filter((option) => !optionsOfTheCall.has(option.attributeName()));
}

function valueSchema(option: Option): ValueSchema {
  if (option.isBoolean()) return { type: 'boolean' };
  if (option.argChoices !== undefined) return { enum: option.argChoices };
  return (option.parseArg === undefined ? undefined : schemaOf(option.parseArg)) ?? { type: 'string' };
}

/** Sets the options that the command line has not set. @throws UsageError that names file and key. */
export function applyConfig(command: Command, file: string): void {
  const options = new Map(configurable(command).map((option) => [option.attributeName(), option]));
  for (const [key, value] of Object.entries(readConfig(file))) {
    if (key === '$schema' || key === dependentKey) continue;
    const fail = (problem: string): never => {
      throw new UsageError(`${file}: ${shown(key)} ${problem}`);
    };
    if (key === 'text') {
      command.setOptionValueWithSource(
        key,
        typeof value === 'string' ? value : fail(`is ${shown(value)}; a string is needed`),
        'config',
      );
      continue;
    }
    const option =
      options.get(key) ?? fail(`is no option of vastmax ${command.name()}; see --print-config-schema for all`);
    const parsed = parseValue(option, value, fail);
    if (parsed !== undefined && command.getOptionValueSource(key) !== 'cli')
      command.setOptionValueWithSource(key, parsed, 'config');
  }
}

function readConfig(file: string): object {
  let text: string;
  try {
    text = readAtMost(file, maxConfigBytes);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--config ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--config ${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new UsageError(
    `--config ${file} holds ${Array.isArray(json) ? 'an array' : shown(json)}; an object of options is needed`,
  );
}

/** As UTF-8. A device has no size and no end: not more than the limit is read. */
function readAtMost(file: string, bytes: number): string {
  const opened = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(bytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= bytes; length += read)
      read = readSync(opened, buffer, length, buffer.length - length, null);
    if (length > bytes)
      throw new UsageError(`--config ${file} has more than ${bytes} bytes, the limit; options take some thousand`);
    // Drops a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } finally {
    closeSync(opened);
  }
}

/** Undefined for a flag that is not set. */
function parseValue(option: Option, value: unknown, fail: (problem: string) => never): unknown {
  const { type = 'string' } = valueSchema(option);
  const needed = {
    boolean: 'true or false is needed',
    integer: 'a number is needed',
    number: 'a number is needed',
    array: 'an array of numbers is needed',
  }[String(type)];
  const isNumbers = Array.isArray(value) && value.every((each) => typeof each === 'number');
  const fits =
    type === 'boolean'
      ? typeof value === 'boolean'
      : type === 'array'
        ? isNumbers
        : typeof value === (type === 'string' ? 'string' : 'number');
  if (!fits) return fail(`is ${shown(value)}; ${needed ?? 'a string is needed'}`);
  if (typeof value === 'boolean') return value ? true : undefined;
  const text = String(value);
  try {
    return option.parseArg === undefined ? text : option.parseArg(text, undefined);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return fail(`is ${shown(value)}; ${error.message}`);
    if (error instanceof UsageError) return fail(`is wrong: ${error.message}`);
    throw error;
  }
}
