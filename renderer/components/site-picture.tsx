import type { SiteView } from '../../core/ipc.ts';

const ROW = 58;
const BOX = { width: 190, height: 40 };
const WIDTH = 640;

/** The site's links as a small picture: devices on the left, servers on the right, one line per link. */
export function SitePicture({ site }: { site: SiteView }) {
  const servers = [...new Set(site.links.map((link) => link.server))];
  const rows = Math.max(site.devices.length, servers.length);
  if (site.links.length === 0) return <p className="text-sm text-soft">The site lists no links.</p>;
  const height = rows * ROW + 4;
  const y = (index: number, of: number) => ((index + 0.5) * height) / Math.max(of, 1);
  const right = WIDTH - BOX.width;
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={site.links
        .map((link) => `${link.name}: ${nameOf(site, link.device)} to ${link.server}, ${link.protocol}`)
        .join('. ')}
      className="w-full max-w-[760px]"
    >
      {site.links.map((link) => {
        const from = y(
          Math.max(
            0,
            site.devices.findIndex((device) => device.id === link.device),
          ),
          site.devices.length,
        );
        const to = y(servers.indexOf(link.server), servers.length);
        const middle = (BOX.width + right) / 2;
        // Three quarters along the curve lines to different servers are apart; the name stands on the outer side.
        const labelY = from + (to - from) * 0.84 + (to > from ? 20 : -9);
        const labelX = BOX.width + (right - BOX.width) * 0.62;
        return (
          <g key={link.id}>
            <path
              d={`M ${BOX.width} ${from} C ${middle} ${from}, ${middle} ${to}, ${right - 7} ${to}`}
              fill="none"
              className="stroke-edge"
              strokeWidth="1.5"
            />
            <path
              d={`M ${right - 8} ${to - 4} L ${right - 1} ${to} L ${right - 8} ${to + 4} Z`}
              className="fill-edge"
            />
            <text
              x={labelX}
              y={labelY}
              textAnchor="middle"
              className="fill-soft stroke-surface text-[11.5px] font-medium"
              strokeWidth="5"
              paintOrder="stroke"
              strokeLinejoin="round"
            >
              {shorten(link.name, 34)}
            </text>
          </g>
        );
      })}
      {site.devices.map((device, index) => (
        <Box key={device.id} x={0} y={y(index, site.devices.length)} title={device.name} detail={device.host} />
      ))}
      {servers.map((server, index) => (
        <Box key={server} x={right} y={y(index, servers.length)} title={server} detail={protocolsOf(site, server)} />
      ))}
    </svg>
  );
}

function Box({ x, y, title, detail }: { x: number; y: number; title: string; detail: string }) {
  return (
    <g>
      <rect
        x={x + 0.5}
        y={y - BOX.height / 2}
        width={BOX.width - 1}
        height={BOX.height}
        rx="6"
        className="fill-sunken stroke-line"
      />
      <text x={x + 12} y={y - 3} className="fill-ink text-[12.5px] font-semibold">
        {shorten(title, 25)}
      </text>
      <text x={x + 12} y={y + 12} className="fill-soft text-[11px]">
        {shorten(detail, 30)}
      </text>
    </g>
  );
}

function nameOf(site: SiteView, device: string): string {
  return site.devices.find((entry) => entry.id === device)?.name ?? device;
}

function protocolsOf(site: SiteView, server: string): string {
  return [...new Set(site.links.filter((link) => link.server === server).map((link) => link.protocol))].join(', ');
}

function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
