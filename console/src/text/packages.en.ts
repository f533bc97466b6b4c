/** English for the packages of functions; German stands beside it. */

export const packages = {
  packages: {
    detail: 'Python packages that functions may name. What an approved one brings along comes with it.',
    name: 'Package',
    requirements: 'Packages',
    requirementsHint: 'One a line, such as requests==2.32.3 or pandas>=2. They have to be approved.',
    lock: 'Lock',
    lockOf: (count: number) => `${count} packages, as locked`,
    functions: 'Functions',
    askedBy: 'Asked for by',
    search: 'Part of the name',
    request: 'Ask for a package',
    requestTitle: 'Ask for a package',
    what: 'What for',
    approve: 'Approve',
    refuse: 'Refuse',
    refuseTitle: (name: string) => `Refuse ${name}?`,
    refuseDetail: 'No new version may have it, nor may another package bring it along. What runs goes on.',
    remove: 'Remove',
    removeTitle: (name: string) => `Take ${name} off the list?`,
    removeDetail: 'Versions that have it keep it. No new one may name it until it is approved again.',
    why: 'Why',
    none: 'No packages yet',
    noneDetail: 'Functions import what Python brings along, until a package is approved here.',
  },
}
