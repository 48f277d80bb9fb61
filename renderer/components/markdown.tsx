import ReactMarkdown from 'react-markdown';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';

// A guide's author is not trusted with the page: no images (they would call out), no styles, no ids, no inputs.
const SCHEMA = {
  ...defaultSchema,
  tagNames: (defaultSchema.tagNames ?? []).filter(
    (name) => !['img', 'picture', 'source', 'input', 'h1'].includes(name),
  ),
  protocols: { ...defaultSchema.protocols, href: ['https', 'http', 'mailto'] },
};

/** A guide's instructions. Links are shown but lead nowhere: the wizard never leaves its own pages. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="prose max-w-[74ch] select-text">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        rehypePlugins={[[rehypeSanitize, SCHEMA]]}
        components={{ a: PlainLink }}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}

function PlainLink({ href, children }: { href?: string; children?: React.ReactNode }) {
  return (
    <span>
      {children}
      {href === undefined || href === children ? null : <span className="font-mono text-xs text-faint"> ({href})</span>}
    </span>
  );
}
