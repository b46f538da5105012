/** How a back end signs who a visitor is: the HMAC-SHA256 of id, colon and end, in hexadecimal. */
export const examples = {
  "Node.js": `import { createHmac } from "node:crypto";

const exp = Math.floor(Date.now() / 1000) + 24 * 60 * 60;
const hash = createHmac("sha256", process.env.EARSHOT_IDENTITY_SECRET)
  .update(\`\${user.id}:\${exp}\`)
  .digest("hex");`,
  Python: `import hashlib, hmac, os, time

exp = int(time.time()) + 24 * 60 * 60
hash = hmac.new(os.environ["EARSHOT_IDENTITY_SECRET"].encode(),
                f"{user.id}:{exp}".encode(), hashlib.sha256).hexdigest()`,
  Go: `exp := time.Now().Add(24 * time.Hour).Unix()
mac := hmac.New(sha256.New, []byte(os.Getenv("EARSHOT_IDENTITY_SECRET")))
fmt.Fprintf(mac, "%s:%d", user.ID, exp)
hash := hex.EncodeToString(mac.Sum(nil))`,
  PHP: `$exp = time() + 24 * 60 * 60;
$hash = hash_hmac('sha256', $user->id . ':' . $exp, getenv('EARSHOT_IDENTITY_SECRET'));`,
} as const;

export const call = `Earshot('identify', user.id, { hash, exp, email: user.email, name: user.name });`;
