// The values of a label as the options of a variable. A value in the address that Prometheus does not have
// stays selected: upstream would silently show the first one instead.
import { PrometheusLabelValuesVariable } from "@perses-dev/prometheus-plugin";

const ALL = "$__all";

/** Returns the values of a variable in the page's address. */
const given = (name: string): string[] =>
  (new URLSearchParams(window.location.search).get(`var-${name}`) ?? "").split(",").filter((value) => value && value !== ALL);

export const labelValues: typeof PrometheusLabelValuesVariable = {
  ...PrometheusLabelValuesVariable,
  getVariableOptions: async (spec, context) => {
    const { data } = await PrometheusLabelValuesVariable.getVariableOptions(spec, context);
    const known = new Set(data.map(({ value }) => value));
    // Variables of dashboards have the names of their labels.
    const others = given(spec.labelName).filter((value) => !known.has(value));
    return { data: [...data, ...others.map((value) => ({ label: value, value }))] };
  },
};
