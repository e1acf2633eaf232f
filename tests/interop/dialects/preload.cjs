// For `node -r`: the one line that points SDK v2 somewhere else.
require("aws-sdk").config.update({ endpoint: process.env.AWS_ENDPOINT_URL_PINPOINT });
