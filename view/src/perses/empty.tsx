// A panel without data says why, where the dashboard knows it (`empty` in the panel's specification).
import type { ReactElement } from "react";
import { Box, Typography } from "@mui/material";
import type { TimeSeriesData } from "@perses-dev/core";
import type { PanelPlugin, PanelProps } from "@perses-dev/plugin-system";

export interface MaybeEmpty {
  empty?: string;
}

export const isEmpty = ({ queryResults }: PanelProps<unknown, TimeSeriesData>): boolean =>
  queryResults.every(({ data }) => !data.series.length);

export function Empty({ text }: { text?: string | undefined }): ReactElement {
  return (
    <Box sx={{ height: "100%", display: "grid", placeItems: "center", px: 2 }}>
      <Typography variant="body2" color="text.secondary" align="center" data-testid="empty">
        {text ?? "No data"}
      </Typography>
    </Box>
  );
}

/** Returns a panel plugin that shows the sentence instead of an empty panel. */
export function sayingWhyEmpty<Spec, Props extends PanelProps<Spec, TimeSeriesData>>(
  plugin: PanelPlugin<Spec, Props>,
  otherwise?: string,
): PanelPlugin<Spec, Props> {
  const Upstream = plugin.PanelComponent;
  const Panel = (props: Props): ReactElement =>
    isEmpty(props) ? <Empty text={(props.spec as MaybeEmpty).empty ?? otherwise} /> : <Upstream {...props} />;
  return { ...plugin, PanelComponent: Panel };
}
