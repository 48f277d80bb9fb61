import { basename } from 'node:path';
import { metaName } from '../../core/bundle/layout.ts';

/** The line with which stock OpenSSL makes the nth signature, from within the prepared folder. */
export function opensslSignCommand(number: number): string {
  const digits = String(number).padStart(3, '0');
  return `openssl cms -sign -cades -binary -md sha256 -in ${metaName('manifest', number)} -signer CERT.pem -inkey KEY.pem -certfile CHAIN.pem -outform DER -out signature${digits}.p7s`;
}

/**
 * The same in PowerShell, with a key in Windows' certificate store. Windows writes no signing-certificate-v2 (RFC 5035)
 * of its own accord, so it is put together here: a sequence that holds the SHA-256 of the certificate.
 */
function powershell(number: number): readonly string[] {
  const digits = String(number).padStart(3, '0');
  return [
    'Add-Type -AssemblyName System.Security',
    '$certificate = Get-Item Cert:\\CurrentUser\\My\\THUMBPRINT',
    `$content = [IO.File]::ReadAllBytes("$PWD\\${metaName('manifest', number).replace('/', '\\')}")`,
    '$info = New-Object Security.Cryptography.Pkcs.ContentInfo (,$content)',
    '$cms = New-Object Security.Cryptography.Pkcs.SignedCms $info, $true',
    '$signer = New-Object Security.Cryptography.Pkcs.CmsSigner $certificate',
    "$signer.DigestAlgorithm = New-Object Security.Cryptography.Oid '2.16.840.1.101.3.4.2.1'",
    "$signer.IncludeOption = 'ExcludeRoot'",
    '$hash = [Security.Cryptography.SHA256]::Create().ComputeHash($certificate.RawData)',
    '$named = [byte[]](0x30,0x26,0x30,0x24,0x30,0x22,0x04,0x20) + $hash',
    "$oid = New-Object Security.Cryptography.Oid '1.2.840.113549.1.9.16.2.47'",
    '[void]$signer.SignedAttributes.Add((New-Object Security.Cryptography.Pkcs.Pkcs9SigningTime))',
    '[void]$signer.SignedAttributes.Add((New-Object Security.Cryptography.AsnEncodedData $oid, $named))',
    '$cms.ComputeSignature($signer, $false)',
    `[IO.File]::WriteAllBytes("$PWD\\signature${digits}.p7s", $cms.Encode())`,
  ];
}

/** README.txt beside what is to be signed. */
export function countersignReadme(number: number, bundle: string): string {
  const digits = String(number).padStart(3, '0');
  const lines = powershell(number).map((line) => `     ${line}`);
  return `TO BE COUNTERSIGNED

${metaName('statement', number)}
     what you say: your name and role, your remark, the waivers that you accept. Read it.
${metaName('manifest', number)}
     the digests of every file in the bundle, of the signatures before yours, and of your statement. This is signed.

Change neither file: the signature would not fit.

WITH OPENSSL 3, in this folder

     ${opensslSignCommand(number)}

CERT.pem is your certificate, KEY.pem its key, CHAIN.pem the authorities between it and your root; leave "-certfile
CHAIN.pem" out where there are none. The certificate needs the key usage digitalSignature and, where it has an extended
key usage, emailProtection. Add "-passin" or "-engine" as your key wants it.

IN POWERSHELL, in this folder, with a key in Windows' certificate store

${lines.join('\n')}

THEN, where the bundle is, with this folder as FOLDER and the signature in it

     lockstep bundle countersign ${basename(bundle)} --import FOLDER/signature${digits}.p7s --from FOLDER

It is taken only when it fits this manifest, and nothing in the bundle before it is moved.
`;
}
