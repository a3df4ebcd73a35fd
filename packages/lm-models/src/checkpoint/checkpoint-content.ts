import { createHash } from 'node:crypto';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { textFileName } from './checkpoint-files.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { encodeJson } from './json-text.ts';
import { isPlainFileName } from './manifest.ts';
import type { TextRecord } from './manifest.ts';
import type { LabelledTensor } from './safetensors-layout.ts';

export interface CheckpointContent {
  readonly configuration: JsonObject;
  /** By name. A name has no slash: tensors are stored as `module/tensor`. */
  readonly modules: Readonly<Record<string, ModuleState>>;
  /**
   * By file name, `vocabulary.json` for one. A text that did not change since the last checkpoint is not written again.
   */
  readonly texts?: Readonly<Record<string, string>>;
}

/**
 * Everything that can be refused before a byte is written.
 * @throws CheckpointError `bad-argument`, `bad-json`, `non-finite`
 */
export function checkContent({ configuration, modules, texts = {} }: CheckpointContent): void {
  encodeJson(configuration, 'writeCheckpoint: configuration');
  for (const [name, module] of Object.entries(modules)) {
    if (name === '' || name.includes('/'))
      throw new CheckpointError(
        'bad-argument',
        `writeCheckpoint: the module name ${JSON.stringify(name)} is empty or has a slash; tensors are stored as module/tensor`,
      );
    checkWellFormed(name, 'a module name');
    for (const tensor of module.tensors) checkWellFormed(tensor.name, `module ${name}: a tensor name`);
    encodeJson(module.configuration, `writeCheckpoint: module ${name}: configuration`);
  }
  for (const [name, text] of Object.entries(texts)) {
    if (!isPlainFileName(name) || name.length > 100) {
      throw new CheckpointError(
        'bad-argument',
        `writeCheckpoint: the text name ${JSON.stringify(name)} is not a plain file name; use up to 100 letters, digits, "." "_" "-", with no ".." and no "." or "-" first`,
      );
    }
    checkWellFormed(text, `text ${name}`);
  }
}

/** UTF-8 would turn half of a surrogate pair into U+FFFD without a word. */
function checkWellFormed(text: string, label: string): void {
  const at = text.search(/\p{Surrogate}/u);
  if (at !== -1)
    throw new CheckpointError(
      'bad-argument',
      `writeCheckpoint: ${label} has a lone surrogate (0x${text.charCodeAt(at).toString(16)}) at index ${at}, which UTF-8 cannot hold; remove it`,
    );
}

export function labelTensors(modules: Readonly<Record<string, ModuleState>>): LabelledTensor[] {
  return Object.entries(modules).flatMap(([module, { tensors }]) =>
    tensors.map((source) => ({
      name: `${module}/${source.name}`,
      label: `writeCheckpoint: module ${module}, tensor ${source.name}`,
      source,
    })),
  );
}

export interface EncodedText {
  readonly record: TextRecord;
  readonly bytes: Uint8Array;
}

export function encodeText([name, text]: readonly [string, string]): EncodedText {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { record: { name, file: textFileName(name, sha256), bytes: bytes.length, sha256 }, bytes };
}
