import { expect, it } from 'vitest';
import { freshAnswer } from './fresh-answer.ts';

/** Asks answered by hand, in any order. */
function questions() {
  const asked: { answer: (text: string) => void; fail: (error: Error) => void }[] = [];
  const ask = () => new Promise<string>((answer, fail) => void asked.push({ answer, fail }));
  return { asked, ask };
}

it('does not ask again while a question is under way, however long it takes', async () => {
  const { asked, ask } = questions();
  const read = freshAnswer(ask, 0);
  const first = read();
  const later = new Promise((resolve) => setTimeout(resolve, 5)).then(read);
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(asked).toHaveLength(1);
  asked[0]?.answer('one');
  expect(await Promise.all([first, later])).toEqual(['one', 'one']);
});

it('keeps an answer from when it came, and asks anew when it is old', async () => {
  const { asked, ask } = questions();
  const read = freshAnswer(ask, 60_000);
  const first = read();
  asked[0]?.answer('one');
  await first;
  expect(await read()).toBe('one');
  expect(asked).toHaveLength(1);

  const old = questions();
  const readOld = freshAnswer(old.ask, -1);
  const before = readOld();
  old.asked[0]?.answer('one');
  await before;
  void readOld();
  expect(old.asked).toHaveLength(2);
});

it('asks anew after a question that failed, when that is old', async () => {
  const { asked, ask } = questions();
  const read = freshAnswer(ask, -1);
  const first = read();
  asked[0]?.fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  const next = read();
  asked[1]?.answer('back');
  expect(await next).toBe('back');
});
