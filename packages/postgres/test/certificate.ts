import { createPrivateKey } from 'node:crypto'

/** A self-signed certificate for localhost, and its key. Good for a hundred years, and only for tests. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUWfMlitkNkmXsZLvFFnvsS/7l2mowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE1NTA0MloYDzIxMjYxMDI5
MTU1MDQyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASV7ZdTu39AOu/2CvGvxG0RgUhz6PVvd/broYYJ6pEBibDvMKb9ClcK
6Gve2iNCM1ETqTIaXAqNefcVt83WLqpno2kwZzAdBgNVHQ4EFgQUKPu+Pb9XMHmj
8NmQ43+sUjTWlZUwHwYDVR0jBBgwFoAUKPu+Pb9XMHmj8NmQ43+sUjTWlZUwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
RwAwRAIgfgN7PUoHE0e4Yc0sfUxxyAiV6U4UYRZqwn8zfy7eZd4CIGqXhbrfvGgw
+w+kpHe0UquU+eVrdMGdTh40hcQgA8N/
-----END CERTIFICATE-----`

// Made for this test and used nowhere else: it protects nothing, so it is no secret.
const der = [
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUV40s1DDzRgAgWv7',
  'RY4hhG7nggpOaJY+lGohdMTicl2hRANCAASV7ZdTu39AOu/2CvGvxG0RgUhz6PVv',
  'd/broYYJ6pEBibDvMKb9ClcK6Gve2iNCM1ETqTIaXAqNefcVt83WLqpn',
].join('')

/** The key of {@link certificate}. */
export const key = createPrivateKey({ key: Buffer.from(der, 'base64'), format: 'der', type: 'pkcs8' })
  .export({ type: 'pkcs8', format: 'pem' })
  .toString()
