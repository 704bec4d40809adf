// An Express service without a word of telemetry.
const express = require("express");

const app = express();
const v2 = express.Router();

v2.get("/things/:thing", (request, response) => response.send(request.params.thing));
app.get("/items/:item", (request, response) => response.send(request.params.item));
app.post("/orders", (request, response) => {
  console.warn("order taken");
  response.status(201).send("taken");
});
app.get("/forbidden", (request, response) => response.sendStatus(403));
app.get("/broken", () => {
  throw new Error("broken on purpose");
});
app.get("/health", (request, response) => response.send("well"));
app.get("/last", (request, response) => response.send("last"));
app.use("/v2", v2);

const server = app.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => server.close());
