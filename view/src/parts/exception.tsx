// An exception of a trace, with its stack trace and the way to its span.
import type { ReactElement } from "react";
import { Link as RouterLink } from "react-router-dom";
import { Box, Link, Typography } from "@mui/material";
import type { Raised } from "../logfire/trace";

export function Exception({ raised, isOpen }: { raised: Raised; isOpen: boolean }): ReactElement {
  const { type, message, stack, service, spanId } = raised;
  return (
    <Box data-testid="exception" sx={{ borderLeft: 4, borderColor: "error.main", pl: 1.5, mb: 1.5 }}>
      <Typography sx={{ overflowWrap: "anywhere" }}>
        <strong>{type}</strong>: {message}
      </Typography>
      <Typography variant="body2" color="text.secondary">
        in {service} {spanId && <Link component={RouterLink} to={`?span=${spanId}`}>Show the span</Link>}
      </Typography>
      {stack && (
        <Box component="details" open={isOpen} sx={{ mt: 0.5 }}>
          <summary>Stack trace</summary>
          <Box component="pre" tabIndex={0} sx={{ m: 0, p: 1, fontSize: 12, bgcolor: "action.hover", overflow: "auto", maxHeight: 320 }}>
            {stack}
          </Box>
        </Box>
      )}
    </Box>
  );
}
