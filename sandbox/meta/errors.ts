/** Errors as the Graph API writes them. developers.facebook.com/docs/graph-api/guides/error-handling */

export class GraphError extends Error {
  readonly status: number;
  readonly code: number;
  readonly subcode: number | undefined;
  readonly details: string | undefined;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: number,
    message: string,
    more: { subcode?: number; details?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.subcode = more.subcode;
    this.details = more.details;
    this.headers = more.headers ?? {};
  }

  body(): unknown {
    return {
      error: {
        message: this.message,
        type: this.code === 190 || this.code === 104 || this.code === 200 ? 'OAuthException' : 'GraphMethodException',
        code: this.code,
        ...(this.subcode === undefined ? {} : { error_subcode: this.subcode }),
        ...(this.details === undefined ? {} : { error_data: { messaging_product: 'whatsapp', details: this.details } }),
        fbtrace_id: 'AXsgnV2Cm3ZMGF3dF_cfYIn',
      },
    };
  }
}

/** A parameter is missing. */
export function missing(name: string): GraphError {
  return new GraphError(400, 100, `(#100) The parameter ${name} is required.`);
}

/** A parameter has a value that Meta does not take. */
export function invalid(details: string): GraphError {
  return new GraphError(400, 131009, '(#131009) Parameter value is not valid', { details });
}

/** There is no such object, or the token does not reach it; Meta says the same for both. */
export function unknownObject(id: string): GraphError {
  return new GraphError(
    400,
    100,
    `Unsupported request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`,
    { subcode: 33 },
  );
}

export function badToken(): GraphError {
  return new GraphError(401, 190, 'Invalid OAuth access token - Cannot parse access token', { subcode: 463 });
}
