/** English for configuration as files; German stands beside it. */

export const config = {
  config: {
    detail:
      'Roles, functions, agents and more from a file: planned first, then brought about whole or not at all.',
    parts: 'Parts of configuration',
    apply: 'Apply a file',
    export: 'Export',
    drift: 'Drift',
    file: 'File',
    document: 'Document',
    documentHint:
      'YAML or JSON. metadata.name says which file this is: what it makes is managed by that name.',
    names: 'Names in the document',
    namesHint: 'What they stand for is sent along once and kept nowhere in this browser.',
    fileFor: (path: string) => `Contents of ${path}`,
    read: (path: string) => `${path} was read`,
    choices: 'How it is applied',
    prune: 'Remove what the file made and does not name any more',
    force: 'Take over what comes from other files',
    validate: 'Validate',
    plan: 'Plan',
    carryOut: 'Apply',
    planFirst: 'Look at the plan of this text first',
    nothingToDo: 'Everything is as the document says',
    held: 'Other files hold some of it; choose to take it over, or change it there',
    valid: 'Nothing to mend',
    invalid: 'There is something to mend',
    findings: 'To mend',
    warnings: 'Warnings',
    line: (line: number) => `Line ${line}`,
    applied: 'Applied',
    appliedDetail:
      'All of it was brought about in one transaction. The ledger holds the fact of each change.',
    planned: 'Plan',
    count: (changes: number) => (changes === 1 ? '1 change' : `${changes} changes`),
    unchanged: (things: number) => (things === 1 ? '1 thing stays' : `${things} things stay`),
    rights: 'Changes rights',
    rightsOf: (changes: number) =>
      changes === 1 ? '1 change gives or takes rights' : `${changes} changes give or take rights`,
    gained: 'Gained',
    lost: 'Lost',
    managedBy: (file: string) => `from the file ${file}`,
    adopted: 'Belongs to this file from then on, and stays as it is',
    conflicts: 'Held by other files',
    field: 'Field',
    before: 'Before',
    after: 'After',
    textOf: (field: string) => `Lines of ${field}`,
    confirm: 'Apply this plan?',
    confirmDetail: 'All of it is brought about in one transaction, or nothing.',
    confirmRemoval: (things: number) =>
      things === 1 ? '1 thing is removed.' : `${things} things are removed.`,
    confirmTakeover: (things: number) =>
      things === 1
        ? '1 thing is taken over from another file.'
        : `${things} things are taken over from other files.`,
    manager: 'Name of the file',
    managerHint: 'Only what comes from the file of this name. Empty: from any.',
    managedOnly: 'Only what comes from files',
    show: 'Show',
    exportDetail:
      'What is there, as a document that changes nothing when it is applied. It holds no secrets, and nothing that you may not see.',
    exported: (entries: number) => (entries === 1 ? '1 entry' : `${entries} entries`),
    download: 'Download the file',
    unseen: 'Not shown',
    driftDetail:
      'What was changed or removed by hand since its file was applied. Applying the file brings it back.',
    inStep: 'Nothing was changed by hand',
    inStepDetail: (things: number) =>
      things === 1 ? '1 thing is as its file says.' : `${things} things are as their files say.`,
    actions: { create: 'Create', update: 'Change', delete: 'Remove' },
    drifts: { changed: 'Changed', gone: 'Gone' },
  },
}
