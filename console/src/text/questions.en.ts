/** English for what runs ask; German stands beside it. */

export const questions = {
  questions: {
    asks: 'It asks',
    asksNth: (number: number) => `Question ${number}`,
    answer: 'Answer',
    send: 'Answer',
    until: 'Open until',
    json: 'As JSON',
    notAnswer: 'Something here is not JSON yet.',
    detail: 'The run goes on with the first answer. Its words are the function’s, not ours.',
    waiting: (count: number | string) =>
      count === 1 ? 'One run waits for an answer' : `${count} runs wait for an answer`,
  },
}
