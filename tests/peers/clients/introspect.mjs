// Introspects a token with oauth4webapi and openid-client, authenticating with each method that both support.
// Prints one JSON object per line: the library, the method, and the claims that the library returned.
// node --input-type=module - ISSUER CLIENT_ID, with CLIENT_SECRET and TOKEN in the environment.
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'

const [, , issuer, id] = process.argv
const { CLIENT_SECRET: secret, TOKEN: token } = process.env
const print = (library, method, claims) => console.log(JSON.stringify({ library, method, claims }))

const insecure = { [oauth.allowInsecureRequests]: true }
const server = new URL(issuer)
const discovered = await oauth.discoveryRequest(server, { algorithm: 'oauth2', ...insecure })
const metadata = await oauth.processDiscoveryResponse(server, discovered)
for (const method of ['ClientSecretBasic', 'ClientSecretPost']) {
  const self = { client_id: id }
  const response = await oauth.introspectionRequest(metadata, self, oauth[method](secret), token, insecure)
  print('oauth4webapi', method, await oauth.processIntrospectionResponse(metadata, self, response))

  const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }
  const config = await client.discovery(server, id, undefined, client[method](secret), options)
  print('openid-client', method, await client.tokenIntrospection(config, token))
}
