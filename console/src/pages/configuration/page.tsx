import { getRouteApi } from '@tanstack/react-router'
import { useText } from '../../text'
import { PageHeader } from '../../ui/page'
import { Tabs } from '../../ui/tabs'
import { ApplyFile } from './apply'
import { Drift } from './drift'
import { Export } from './export'

const route = getRouteApi('/shell/configuration')

/** Configuration as files: apply one, write what is there as one, and see what was changed by hand since. */
export default function Configuration() {
  const text = useText()
  const { tab = 'apply', manager, managed } = route.useSearch()
  return (
    <>
      <PageHeader title={text.place.configuration} detail={text.config.detail} />
      <Tabs
        label={text.config.parts}
        current={tab}
        of={[
          { id: 'apply', label: text.config.apply },
          { id: 'export', label: text.config.export },
          { id: 'drift', label: text.config.drift },
        ]}
      />
      {tab === 'apply' && <ApplyFile />}
      {tab === 'export' && <Export manager={manager} managed={managed !== undefined} />}
      {tab === 'drift' && <Drift manager={manager} />}
    </>
  )
}
