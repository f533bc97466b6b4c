import type { packages as english } from './packages.en'

export const packages: typeof english = {
  packages: {
    detail: 'Python-Pakete, die Funktionen nennen dürfen. Was ein freigegebenes mitbringt, kommt mit ihm.',
    name: 'Paket',
    requirements: 'Pakete',
    requirementsHint: 'Eines je Zeile, wie requests==2.32.3 oder pandas>=2. Sie müssen freigegeben sein.',
    lock: 'Festgelegt',
    lockOf: (count: number) => `${count} Pakete, wie festgelegt`,
    functions: 'Funktionen',
    askedBy: 'Erbeten von',
    search: 'Teil des Namens',
    request: 'Um ein Paket bitten',
    requestTitle: 'Um ein Paket bitten',
    what: 'Wofür',
    approve: 'Freigeben',
    refuse: 'Ablehnen',
    refuseTitle: (name: string) => `${name} ablehnen?`,
    refuseDetail:
      'Keine neue Version darf es haben, und kein anderes Paket darf es mitbringen. Was läuft, läuft weiter.',
    remove: 'Entfernen',
    removeTitle: (name: string) => `${name} von der Liste nehmen?`,
    removeDetail:
      'Versionen, die es haben, behalten es. Keine neue darf es nennen, bis es wieder freigegeben ist.',
    why: 'Warum',
    none: 'Noch keine Pakete',
    noneDetail: 'Funktionen importieren, was Python mitbringt, bis hier ein Paket freigegeben ist.',
  },
}
