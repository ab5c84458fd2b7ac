import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

const HOST = 'localhost'
const A_DAY_MS = 24 * 3600 * 1000

// The few types of DER that a certificate is made of.
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OBJECT_ID = 0x06
const UTF8_STRING = 0x0c
const GENERALIZED_TIME = 0x18
const SEQUENCE = 0x30
const SET = 0x31
const DNS_NAME = 0x82
const VERSION = 0xa0
const EXTENSIONS = 0xa3

const ecdsaWithSha256 = der(SEQUENCE, der(OBJECT_ID, hex('2a8648ce3d040302')))
const commonName = hex('550403')
const basicConstraints = hex('551d13')
const subjectAltName = hex('551d11')

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** The key of {@link certificate}, made for this process. */
export const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** A certificate for localhost that signs itself, good for a day before and after now. */
export const certificate = pem(selfSigned(pair.publicKey, pair.privateKey))

function selfSigned(publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, der(OBJECT_ID, commonName), der(UTF8_STRING, Buffer.from(HOST)))),
  )
  const serial = randomBytes(8)
  // Positive and without a leading zero.
  serial.writeUInt8(0x40 | (serial.readUInt8() & 0x3f))
  const content = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, hex('02'))),
    der(INTEGER, serial),
    ecdsaWithSha256,
    name,
    der(SEQUENCE, time(Date.now() - A_DAY_MS), time(Date.now() + A_DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      EXTENSIONS,
      der(
        SEQUENCE,
        // It may vouch for itself, and it stands for one host.
        extension(basicConstraints, der(SEQUENCE, hex('0101ff'))),
        extension(subjectAltName, der(SEQUENCE, der(DNS_NAME, Buffer.from(HOST)))),
      ),
    ),
  )
  const signature = sign('sha256', content, privateKey)
  return der(SEQUENCE, content, ecdsaWithSha256, der(BIT_STRING, hex('00'), signature))
}

function extension(id: Buffer, value: Buffer): Buffer {
  return der(SEQUENCE, der(OBJECT_ID, id), der(OCTET_STRING, value))
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\.\d+|\D/g, '')
  return der(GENERALIZED_TIME, Buffer.from(`${digits}Z`))
}

function der(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const head = length < 0x80 ? [type, length] : [type, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), body])
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}
