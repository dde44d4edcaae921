// Of hey-api. Node.js wants to be told the extension of what is imported.
export default {
  output: { path: "client", module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
};
