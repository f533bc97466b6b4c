/** Deutsch für Geheimnisse und dafür, was Funktionen aufrufen dürfen. */

import type { waysOut as english } from './ways-out.en'

export const waysOut: typeof english = {
  secrets: {
    detail: 'Werte, die Funktionen benutzen und die niemand wieder zu sehen bekommt.',
    search: 'Geheimnisse suchen',
    create: 'Geheimnis ablegen',
    none: 'Noch keine Geheimnisse',
    noneDetail:
      'Ein Geheimnis liegt versiegelt unter einem Namen, den Funktionen dann nennen. Lege das erste hier ab, oder:',
    name: 'Name',
    nameHint: 'Buchstaben, Ziffern und Unterstrich, etwa CRM_TOKEN.',
    value: 'Wert',
    valueHint: 'Er wird nicht wieder gezeigt.',
    hosts: 'Geht nur an diese Hosts',
    hostsHint:
      'Mit einem Host sieht kein Code je den Wert: {{secret:NAME}} in einer Anfrage steht für ihn. *.example.com meint alles darunter.',
    hostsKept: 'Wohin er gehen darf, ändert sich nur zusammen mit dem Wert.',
    goesTo: 'Geht an',
    toCode: 'Code, als context.secrets',
    kept: 'Liegt',
    sealed: 'Versiegelt in der Datenbank',
    version: 'Wert Nr.',
    since: 'Seit',
    usedBy: 'Benutzt von',
    nobody: 'Keine Fassung, die läuft, nennt es.',
    replace: 'Wert ersetzen',
    replaceTitle: (name) => `Wert von ${name} ersetzen`,
    describe: 'Bearbeiten',
    describeTitle: (name) => `${name} ändern`,
    remove: 'Entfernen',
    removeTitle: (name) => `${name} entfernen?`,
    removeDetail: 'Der Wert ist dann verloren. Was eine laufende Fassung nennt, bleibt.',
  },
  egress: {
    secrets: 'Geheimnisse',
    secretsHint: 'Namen der Geheimnisse, die ihre Läufe bekommen, mit Leerzeichen dazwischen.',
    rules: 'Darf aufrufen',
    rulesHint: 'Was context.http aufrufen darf; ohne Regel nichts.',
    methods: (number) => `Methoden der Regel ${number}`,
    address: (number) => `Adresse der Regel ${number}`,
    add: 'Regel hinzufügen',
    drop: (number) => `Regel ${number} entfernen`,
    wrong: 'Eine Adresse wie https://api.example.com/v1',
    nothing: 'nichts',
  },
}
