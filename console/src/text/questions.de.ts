import type { questions as english } from './questions.en'

export const questions: typeof english = {
  questions: {
    asks: 'Er fragt',
    asksNth: (number) => `Frage ${number}`,
    answer: 'Antwort',
    send: 'Antworten',
    until: 'Offen bis',
    json: 'Als JSON',
    notAnswer: 'Etwas hier ist noch kein JSON.',
    detail: 'Der Lauf geht mit der ersten Antwort weiter. Die Worte sind die der Funktion, nicht unsere.',
    waiting: (count) =>
      count === 1 ? 'Ein Lauf wartet auf eine Antwort' : `${count} Läufe warten auf eine Antwort`,
  },
}
