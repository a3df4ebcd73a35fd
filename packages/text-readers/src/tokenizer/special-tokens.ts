import type { Fields } from './fields.ts';

/** The special tokens that go around a text, as the post-processor of a tokenizer.json has them. */
export interface AroundText {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const types = ['TemplateProcessing', 'BertProcessing', 'RobertaProcessing', 'ByteLevel', 'Sequence'] as const;

/** @throws SparseDataError `bad-tokenizer` for a post-processor that is not known here, or an invalid one. */
export function readAroundText(fields: Fields): AroundText {
  const around = readKind(fields);
  fields.end();
  return around;
}

function readKind(fields: Fields): AroundText {
  const type = fields.oneOf('type', types);
  switch (type) {
    case 'Sequence':
      return fields
        .objects('processors')
        .map(readAroundText)
        .reduce(
          (inner, outer) => ({
            before: [...outer.before, ...inner.before],
            after: [...inner.after, ...outer.after],
          }),
          { before: [], after: [] },
        );
    case 'ByteLevel':
      // Concerns offsets in the text only.
      for (const name of ['add_prefix_space', 'trim_offsets', 'use_regex']) fields.boolean(name, true);
      return { before: [], after: [] };
    case 'BertProcessing':
    case 'RobertaProcessing': {
      const token = (name: string): string => {
        const [content] = fields.list(name);
        if (typeof content !== 'string') throw fields.error(`has no token in ${name}; a token and its id are needed`);
        return content;
      };
      if (type === 'RobertaProcessing')
        for (const name of ['add_prefix_space', 'trim_offsets']) fields.boolean(name, true);
      return { before: [token('cls')], after: [token('sep')] };
    }
    case 'TemplateProcessing':
      return readTemplate(fields);
  }
}

function readTemplate(fields: Fields): AroundText {
  // The template of two texts is of no use here.
  fields.get('pair');
  const special = fields.object('special_tokens');
  const before: string[] = [];
  const after: string[] = [];
  let texts = 0;
  for (const item of fields.objects('single')) {
    if (item.has('Sequence')) {
      texts++;
      continue;
    }
    const tokens = special.object(item.object('SpecialToken').string('id')).list('tokens');
    (texts === 0 ? before : after).push(...tokens.map(String));
  }
  if (texts !== 1) throw fields.error(`has ${texts} texts in its template of a single one`);
  return { before, after };
}
