/** A recommender of sets through the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { RunningCommand, vastmax } from '../vastmax.ts';
import { asCsv, drawInteractions } from './interactions-of-two-tastes.ts';
import { tensorsOf } from './tensors-of.ts';

const folder = createScratchFolder();
const write = (file: string, content: string | Uint8Array): void => {
  writeFileSync(join(folder, file), content);
};
const taken = drawInteractions();
write('data.csv', asCsv(taken));
const options = '--model autoencoder --embedding 8 --batch 16 --epochs 40 --rates default --backend wasm --threads 1';
const own = '--backend wasm --threads 1';

interface AtK {
  readonly k: number;
  readonly recall: number;
}
interface Evaluation {
  readonly model: { readonly examples: number; readonly atK: readonly AtK[] };
  readonly popularity: { readonly atK: readonly AtK[] };
  readonly itemNeighbors: { readonly atK: readonly AtK[] };
}

describe('a recommender of sets', () => {
  it('is trained, evaluated beside two baselines, and asked', async () => {
    const trained = await vastmax(folder, `train data.csv -o model ${options}`);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toMatch(/^interactions 384 of 48 users with 24 items$/m);
    expect(trained.stdout).toMatch(/^evaluation +10 % of each user's items held out$/m);
    expect(trained.stdout).toMatch(/^body +a bag of items → tanh 8, 200 parameters$/m);
    const evaluated = await vastmax(folder, `evaluate model ${own}`);
    expect(evaluated).toMatchObject({ code: 0, stderr: '' });
    // The same figures as at the end of the training, from what the folder has kept.
    expect(evaluated.stdout.split('\n').slice(1)).toEqual(trained.stdout.split('\n').slice(-13));
    expect(evaluated.stdout).toMatch(
      /^what was held out, 48 users:\ntop 10 +Recall +NDCG +hit rate +MRR +precision +MAP$/m,
    );

    const { model, popularity } = JSON.parse(
      (await vastmax(folder, `evaluate model --json --top-items 1,5 --limit 30 ${own}`)).stdout,
    ) as Evaluation;
    expect(model).toMatchObject({ examples: 30, atK: [{ k: 1 }, { k: 5 }] });
    expect(model.atK[1]!.recall).toBeGreaterThan(1.5 * popularity.atK[1]!.recall);

    const seen = taken.filter(({ user }) => user === 'u1').map(({ item }) => item);
    const { items } = JSON.parse(
      (await vastmax(folder, ['recommend', 'model', '--user', 'u1', '-k', '30', '--json'])).stdout,
    ) as { readonly items: readonly { readonly item: string; readonly score: number }[] };
    // Everything but what the user has, held out or not; tea first.
    expect(items).toHaveLength(24 - seen.length);
    expect(items.filter(({ item }) => seen.includes(item))).toEqual([]);
    expect(items.slice(0, 3).map(({ item }) => item.slice(0, 3))).toEqual(['tea', 'tea', 'tea']);
    expect((await vastmax(folder, 'recommend model --user u2 -k 2')).stdout).toMatch(
      /^item +score\nfilm \d+ +-?\d\.\d{3}\nfilm \d+ +-?\d\.\d{3}\n$/,
    );
    const asked = await vastmax(folder, [
      'recommend',
      'model',
      '--items',
      'film 1, film 2,film 99',
      '-k',
      '1',
      ...own.split(' '),
    ]);
    expect(asked.stderr).toBe('vastmax: warning: items that model does not know are left out: film 99\n');
    expect(asked.stdout).toMatch(/^item +score\nfilm /);

    write('new.jsonl', '{"user":"x","item":"tea 1"}\n{"user":"y","item":"cup"}\n{"user":"x","item":"tea 2"}\n');
    const ofFile = await vastmax(folder, `recommend model --input new.jsonl -k 2 ${own}`);
    expect(ofFile.stderr).toBe(
      'vastmax: warning: 1 users of new.jsonl have no item that the model knows; they are left out\n',
    );
    expect(JSON.parse(ofFile.stdout)).toMatchObject({
      user: 'x',
      items: [{ item: expect.stringMatching(/^tea/) as string }, {}],
    });

    const near = await vastmax(folder, ['neighbors', 'model', 'tea 3', '-k', '3']);
    expect(near.stdout).toMatch(/^tea 3: tea \d+ \d\.\d\d, tea \d+ \d\.\d\d, tea \d+ \d\.\d\d\n$/);
    expect((await vastmax(folder, 'inspect model')).stdout).toMatch(/, 24 items, 48 users$/m);
    const exported = await vastmax(folder, 'export model -o items.safetensors --json');
    expect(JSON.parse(exported.stdout)).toMatchObject({ words: 24, width: 8 });
  });

  it('is the same from any format', async () => {
    const few = `${options} --epochs 2`;
    const renamed = taken.map(({ user, item, time }) => ({ who: user, what: item, when: time }));
    write('data.tsv', `who\twhat\twhen\n${renamed.map((each) => Object.values(each).join('\t')).join('\n')}`);
    write('data.jsonl', renamed.map((each) => `${JSON.stringify(each)}\n`).join(''));
    write(
      'data.parquet',
      new Uint8Array(
        parquetWriteBuffer({
          columnData: (['who', 'what', 'when'] as const).map((name) => ({
            name,
            data: renamed.map((each) => each[name]),
          })),
        }),
      ),
    );
    await vastmax(folder, `train data.csv -o from-csv ${few}`);
    const expected = await tensorsOf(join(folder, 'from-csv'));
    for (const format of ['tsv', 'jsonl', 'parquet']) {
      const columns = '--user-column who --item-column what --time-column when';
      const trained = await vastmax(folder, `train data.${format} -o from-${format} ${few} ${columns}`);
      expect(trained).toMatchObject({ code: 0, stderr: '' });
      expect(await tensorsOf(join(folder, `from-${format}`))).toEqual(expected);
    }
    const underscored = taken.map(({ user, item }) => ({ user, item: item.replace(' ', '_') }));
    const users = [...new Set(taken.map(({ user }) => user))];
    const lines = users.map((user) =>
      [user, ...underscored.filter((each) => each.user === user).map(({ item }) => item)].join(' '),
    );
    await vastmax(folder, ['train', '-', '-o', 'from-lines', ...few.split(' ')], lines.join('\n'));
    expect(await tensorsOf(join(folder, 'from-lines'))).toEqual(expected);
  });

  it('is interrupted, and gone on with bit for bit', async () => {
    const with_ = `${options} --examples 480 --min-item-count 2 --min-user-count 3 --split time --hold-out 0.2 --input-dropout 0.3 --hidden 6`;
    const whole = await vastmax(folder, `train data.csv -o whole ${with_}`);
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(/^evaluation +the last 20 % by time held out$/m);
    await vastmax(
      folder,
      `train data.csv -o parts ${with_.replace('--examples 480', '--examples 240 --schedule constant')}`,
    );
    await vastmax(folder, `train data.csv -o full ${with_} --schedule constant`);
    const resumed = await vastmax(
      folder,
      'train data.csv -o parts --model autoencoder --resume --examples 480 --backend wasm --threads 1',
    );
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(await tensorsOf(join(folder, 'parts'))).toEqual(await tensorsOf(join(folder, 'full')));

    const running = new RunningCommand(
      `train data.csv -o stopped ${options} --examples 100000000 --checkpoint-every 1`.split(' '),
      folder,
    );
    await running.waitFor('training ');
    running.interrupt();
    const stopped = await running.ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toMatch(
      /go on with: vastmax train data\.csv -o stopped --model autoencoder --backend wasm --threads 1 --resume$/m,
    );
  });

  it('takes what is held out from a file, of the users that it knows', async () => {
    const isLate = ({ time }: { readonly time: number }): boolean => time >= 6000;
    write('early.csv', asCsv(taken.filter((each) => !isLate(each))));
    write('late.csv', `${asCsv(taken.filter(isLate))}stranger,tea 1,5\nu0,unknown,3\n`);
    const trained = await vastmax(folder, `train early.csv -o late ${options} --valid late.csv`);
    expect(trained.stderr).toBe(
      'vastmax: warning: 1 users of late.csv have no interactions in the training data; they are left out\n',
    );
    expect(trained.stdout).toMatch(/^held out in late\.csv, 48 users:$/m);
    const all = await vastmax(folder, `train early.csv -o all ${options} --hold-out 0 --epochs 1`);
    expect(all.stdout).toMatch(/^evaluation +nothing held out$/m);
    expect(all.stdout).toMatch(/saved +all\n$/);
    const evaluated = await vastmax(folder, `evaluate all late.csv --json ${own}`);
    expect(evaluated.stderr).toBe(
      'vastmax: warning: 1 users of late.csv are not known to the model; they are left out\n',
    );
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ model: { examples: 48 } });
    expect(await vastmax(folder, `evaluate all ${own}`)).toMatchObject({ code: 1, stdout: '' });
  });

  it('plans, and searches for rates with items that it is not shown', async () => {
    const planned = await vastmax(
      folder,
      `train data.csv -o planned --model autoencoder --batch 4 --epochs 60 --dry-run --backend wasm --threads 1`,
    );
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toMatch(/^rates +--output-rate to be searched: at most 5 trainings/m);
    expect(planned.stdout).toMatch(/^body +a bag of items → tanh 512,/m);
    expect(planned.stdout).toMatch(/dry run: nothing was trained and nothing written\n$/);
    const config = JSON.parse((await vastmax(folder, 'train --model autoencoder --print-config')).stdout) as {
      readonly $defaults: object;
    };
    expect(config.$defaults).toMatchObject({ embedding: 512, loss: 'implicit', precondition: 1, inputDropout: 0.5 });
  });

  it.each<[string, number, string]>([
    [
      'train data.csv -o refused --model autoencoder --user-column who',
      1,
      'data.csv: line 1: the header has no column "who"; it has "user", "item", "time"',
    ],
    [
      'train data.csv -o refused --model autoencoder --min-item-count 99',
      1,
      'no item is left of 24 items (384 interactions) with at least 99 interactions an item and 1 a user',
    ],
    [
      'train data.csv -o refused --model autoencoder --window 3',
      2,
      '--window is an option of --model next-item, not of autoencoder',
    ],
    ['train data.csv -o refused --model autoencoder --lower-case', 2, '--lower-case is no option of autoencoder'],
    ['train data.csv -o refused --min-user-count 3', 2, '--min-user-count is an option of recommenders'],
    ['train bad.csv -o refused --model autoencoder', 1, 'bad.csv: line 3: item is empty (user "v")'],
    [
      'train timeless.csv -o refused --model autoencoder --split time',
      1,
      '--split time needs times, and timeless.csv has none',
    ],
    ['recommend model --user nobody', 2, "model knows no user 'nobody', only its 48 users"],
    ['recommend model', 2, 'nobody to recommend to; give one of --user NAME'],
    ['recommend model --items cup', 2, 'none of the items is one of the 24 that model knows: cup'],
    ['predict model tea', 2, 'model holds a recommender; ask it with vastmax recommend'],
    ['neighbors model cup', 2, 'no items of model: cup'],
    ['evaluate model --similarity pairs.tsv', 2, 'which has no --similarity; leave it out'],
    ['train data.csv -o model --resume', 2, 'model holds a recommender; add --model autoencoder to go on with it'],
    [
      'train timeless.csv -o model --model autoencoder --resume',
      2,
      'timeless.csv does not hold the interactions that model was trained on',
    ],
  ])('%s is refused', async (command, code, message) => {
    write('bad.csv', 'user,item\nu,a\nv,\n');
    write('timeless.csv', 'user,item\nu,a\nv,b\nu,b\n');
    const ended = await vastmax(folder, `${command} --backend wasm`);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(message);
  });
});
