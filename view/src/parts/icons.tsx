// Icons as shapes: the characters for them are not in every font.
import type { ReactElement } from "react";
import { SvgIcon, type SvgIconProps } from "@mui/material";

const shape = (path: string) => (props: SvgIconProps): ReactElement => (
  <SvgIcon fontSize="small" {...props}>
    <path d={path} />
  </SvgIcon>
);

const Down = shape("M6 9h12l-6 7z");
const Right = shape("M9 6v12l7-6z");
export const Arrow = shape("M4 11h12l-5-5 1.4-1.4L20 12l-7.6 7.4L11 18l5-5H4z");
export const NewTab = shape("M5 5h6v2H7v10h10v-4h2v6H5zM13 5h6v6h-2V8.4l-7.3 7.3-1.4-1.4L15.6 7H13z");

/** The icon of what can be shown and hidden. */
export const Fold = ({ isOpen }: { isOpen: boolean }): ReactElement => (isOpen ? <Down /> : <Right />);
