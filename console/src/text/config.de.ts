import type { config as english } from './config.en'

export const config: typeof english = {
  config: {
    detail:
      'Rollen, Funktionen, Agenten und mehr aus einer Datei: erst geplant, dann ganz oder gar nicht ausgeführt.',
    parts: 'Teile der Konfiguration',
    apply: 'Datei anwenden',
    export: 'Ausgeben',
    drift: 'Abweichungen',
    file: 'Datei',
    document: 'Dokument',
    documentHint:
      'YAML oder JSON. metadata.name sagt, welche Datei das ist: Was sie anlegt, wird unter diesem Namen geführt.',
    names: 'Namen im Dokument',
    namesHint: 'Wofür sie stehen, wird einmal mitgeschickt und in diesem Browser nirgends aufbewahrt.',
    fileFor: (path) => `Inhalt von ${path}`,
    read: (path) => `${path} wurde gelesen`,
    choices: 'Wie es angewendet wird',
    prune: 'Entfernen, was die Datei angelegt hat und nicht mehr nennt',
    force: 'Übernehmen, was aus anderen Dateien kommt',
    validate: 'Prüfen',
    plan: 'Planen',
    carryOut: 'Anwenden',
    planFirst: 'Erst den Plan dieses Textes ansehen',
    nothingToDo: 'Alles ist, wie das Dokument sagt',
    held: 'Einiges gehört anderen Dateien; Übernahme wählen oder dort ändern',
    valid: 'Nichts zu beheben',
    invalid: 'Es ist etwas zu beheben',
    findings: 'Zu beheben',
    warnings: 'Warnungen',
    line: (line) => `Zeile ${line}`,
    applied: 'Angewendet',
    appliedDetail:
      'Alles ist in einer Transaktion geschehen. Das Journal hält zu jeder Änderung die Tatsache.',
    planned: 'Der Plan',
    count: (changes) => (changes === 1 ? '1 Änderung' : `${changes} Änderungen`),
    unchanged: (things) => (things === 1 ? '1 Ding bleibt' : `${things} Dinge bleiben`),
    rights: 'Ändert Rechte',
    rightsOf: (changes) =>
      changes === 1 ? '1 Änderung gibt oder nimmt Rechte' : `${changes} Änderungen geben oder nehmen Rechte`,
    gained: 'Kommt hinzu',
    lost: 'Fällt weg',
    managedBy: (file) => `aus der Datei ${file}`,
    adopted: 'Gehört von da an zu dieser Datei und bleibt, wie es ist',
    conflicts: 'Gehört anderen Dateien',
    field: 'Feld',
    before: 'Vorher',
    after: 'Nachher',
    textOf: (field) => `Zeilen von ${field}`,
    confirm: 'Diesen Plan anwenden?',
    confirmDetail: 'Alles geschieht in einer Transaktion, oder nichts.',
    confirmRemoval: (things) => (things === 1 ? '1 Ding wird entfernt.' : `${things} Dinge werden entfernt.`),
    confirmTakeover: (things) =>
      things === 1
        ? '1 Ding wird aus einer anderen Datei übernommen.'
        : `${things} Dinge werden aus anderen Dateien übernommen.`,
    manager: 'Name der Datei',
    managerHint: 'Nur was aus der Datei dieses Namens kommt. Leer: aus jeder.',
    managedOnly: 'Nur was aus Dateien kommt',
    show: 'Zeigen',
    exportDetail:
      'Was da ist, als Dokument, das nichts ändert, wenn es angewendet wird. Ohne Geheimnisse und ohne das, was Sie nicht sehen dürfen.',
    exported: (entries) => (entries === 1 ? '1 Eintrag' : `${entries} Einträge`),
    download: 'Datei herunterladen',
    unseen: 'Nicht gezeigt',
    driftDetail:
      'Was von Hand geändert oder entfernt wurde, seit die Datei angewendet wurde. Wird sie angewendet, ist es wieder da.',
    inStep: 'Nichts wurde von Hand geändert',
    inStepDetail: (things) =>
      things === 1 ? '1 Ding ist, wie seine Datei sagt.' : `${things} Dinge sind, wie ihre Dateien sagen.`,
    actions: { create: 'Anlegen', update: 'Ändern', delete: 'Entfernen' },
    drifts: { changed: 'Geändert', gone: 'Fort' },
  },
}
