package render

import "github.com/assay-dev/assay/api/fault"

// refusal is a field of a kustomization that is not rendered.
type refusal struct {
	reason fault.Reason
	why    string
	remedy string
}

// refused are the fields of a kustomization that would run programs, reach out, or change how
// every later rendering of this process behaves. A test compares this table and [walked] with
// kustomize's own type, so that a new field of kustomize cannot slip in.
var refused = map[string]refusal{
	"helmCharts":                  helm,
	"helmGlobals":                 helm,
	"helmChartInflationGenerator": helm,
	"generators":                  plugin,
	"transformers":                plugin,
	"validators":                  plugin,
	"openapi":                     schema,
	"crds":                        schema,
	// Variables expand in each other's values: a few lines become gigabytes.
	"vars": {fault.InvalidCatalog, "vars are not supported", "use replacements"},
}

var (
	helm   = refusal{fault.PluginRefused, "helm is not run", "commit what the chart renders"}
	plugin = refusal{fault.PluginRefused, "plugins are not run", "use patches, replacements or labels"}
	schema = refusal{fault.PluginRefused, "schemas of a repository are not loaded, they would change the rendering of others", "remove it; for lists use JSON 6902 patches"}
)

// walked are the fields whose paths [scan] follows.
var walked = []string{
	"resources", "bases", "components", "patches", "patchesJson6902", "patchesStrategicMerge",
	"replacements", "configurations", "configMapGenerator", "secretGenerator",
}
