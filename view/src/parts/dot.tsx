// A coloured dot with its meaning in words, for those who do not see the colour.
import type { ReactElement } from "react";
import { Box, Tooltip } from "@mui/material";

export type Tone = "success" | "warning" | "error" | "info";

export const Dot = ({ tone, text }: { tone: Tone; text: string }): ReactElement => (
  <Tooltip title={text}>
    <Box
      component="span"
      role="img"
      aria-label={text}
      sx={{ display: "inline-block", width: 10, height: 10, borderRadius: "50%", bgcolor: `${tone}.main`, flexShrink: 0 }}
    />
  </Tooltip>
);
